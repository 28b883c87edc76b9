# What the reference of the API says in English. Each message has its twin of the same name under fr/.

reference-about = What it is
reference-answer = Answer
reference-body = Body
reference-contents = Contents
reference-document = The same for programs (OpenAPI 3.1)
reference-example = Example
reference-kind = Type
reference-name = Name
reference-objects = Objects
reference-parameters = Parameters
reference-required = Required.
reference-link = What can be asked, and how: the reference of the API
reference-title = The API of Envoi
