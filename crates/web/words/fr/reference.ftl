# Ce que la référence de l’API dit en français. Chaque message a son jumeau du même nom sous en/.

reference-about = Signification
reference-answer = Réponse
reference-body = Corps
reference-contents = Sommaire
reference-document = La même pour les programmes (OpenAPI 3.1)
reference-example = Exemple
reference-kind = Type
reference-name = Nom
reference-objects = Objets
reference-parameters = Paramètres
reference-required = Obligatoire.
reference-link = Ce qui peut être demandé, et comment : la référence de l’API
reference-title = L’API d’Envoi
