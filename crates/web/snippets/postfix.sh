umask 077
echo '[{{host}}]:{{port}} {{user}}:{{password}}' > /etc/postfix/sasl_passwd
postconf -e \
  'relayhost = [{{host}}]:{{port}}' \
  'smtp_sasl_auth_enable = yes' \
  'smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd' \
  'smtp_sasl_security_options = noanonymous' \
{{tls}}  'smtp_tls_wrappermode = yes' \
  'smtp_tls_security_level = secure' \
{{own}}  'smtp_tls_CAfile = {{authority}}' \
{{known}}  'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt' \
  'myorigin = {{domain}}'
postfix reload
