printf '%s\r\n' 'From: {{from}}' 'To: {{to}}' \
  'Subject: {{subject}}' '' '{{body}}' > mail.txt
{{starttls}}curl --ssl-reqd --url smtp://{{host}}:{{port}} \
{{tls}}curl --url smtps://{{host}}:{{port}} \
{{own}}  --cacert {{authority}} \
  --user {{user}}:{{password}} \
  --mail-from {{from}} --mail-rcpt {{to}} \
  --upload-file mail.txt
