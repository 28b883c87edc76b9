Rails.application.configure do
  config.action_mailer.delivery_method = :smtp
  config.action_mailer.raise_delivery_errors = true
  config.action_mailer.default_options = { from: "{{from}}" }
  config.action_mailer.smtp_settings = {
    address: "{{host}}",
    port: {{port}},
    domain: "{{domain}}",
    user_name: "{{user}}",
    password: "{{password}}",
    authentication: :plain,
{{starttls}}    enable_starttls: true,
{{tls}}    tls: true,
{{own}}    ca_file: "{{authority}}",
    open_timeout: 30,
    read_timeout: 60
  }
end
