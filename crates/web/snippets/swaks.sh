{{starttls}}swaks --server {{host}} --port {{port}} --tls \
{{tls}}swaks --server {{host}} --port {{port}} --tls-on-connect \
  --auth PLAIN --auth-user {{user}} --auth-password {{password}} \
  --from {{from}} --to {{to}} \
  --header 'Subject: {{subject}}' --body '{{body}}'
