# Net::SMTP of Ruby, as Rails uses it.
require 'net/smtp'

context = OpenSSL::SSL::SSLContext.new
context.set_params(ca_file: ENV['MAILER_CA'])
smtp = Net::SMTP.new(ENV['MAILER_HOST'], ENV['MAILER_PORT'].to_i)
if ENV['MAILER_TLS'] == 'tls'
  smtp.enable_tls(context)
else
  smtp.enable_starttls(context)
end
smtp.start('localhost', ENV['MAILER_USERNAME'], ENV['MAILER_PASSWORD'], :plain) do |session|
  reply = session.send_message(File.binread(ENV['MAILER_MESSAGE']), ENV['MAILER_FROM'], ENV['MAILER_TO'].split)
  puts reply.string
end
