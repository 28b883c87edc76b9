# What the pages of connection settings and help say in English. Each message has its twin below fr/.

## Connection
connect-application = Application
connect-encryption = Encryption
connect-encryption-or = often called “TLS”; “SSL/TLS” on { $port }
connect-five = The five settings
connect-lede = What to enter in the application that sends.
connect-lost = Lost? Add a second one, or reset it.
connect-no-user = Username and password belong to an SMTP user, and there is none yet: make one on the page of its domain.
connect-on = Authentication is always on (“use SMTP authentication”: yes). The sender’s address has to be of the domain that the username was made for.
connect-port = Port
connect-port-or = or { $port } where only “SSL/TLS” is offered
connect-ready = Ready for your application
connect-replace = Put your password in place of { $word }.
connect-server = Server
connect-show = Show
connect-then = Then run
connect-username = Username

## Ready pieces
snippet-body = It works.
snippet-django = Then try it with the command below.
snippet-laravel = Laravel 11 and later. Before 11, write MAIL_ENCRYPTION=tls in place of MAIL_SCHEME.
snippet-msmtp = The file holds a password: make it readable for you alone (chmod 600). Then try it with the command below.
snippet-postfix = As a smarthost: all mail of this machine leaves through the relay. On Debian and Ubuntu the package libsasl2-modules is needed too. myorigin gives the mail of root and cron a sender that is allowed.
snippet-root-shell = in a root shell
snippet-shell = in a shell
snippet-spring = With spring-boot-starter-mail. Set the sender of each message to an address of your domain.
snippet-subject = A test
snippet-swaks = Shows the whole conversation: the best tool to find a fault.
snippet-to = you@example.com
snippet-wordpress = Make the folder if it is missing. Every plugin then sends through the relay. With a plugin such as WP Mail SMTP instead, choose “Other SMTP” and enter the five settings.
snippet-your-password = YOUR_PASSWORD
snippet-your-username = YOUR_USERNAME

## Ports
ports-further-starttls = Other ports with STARTTLS, should your host block these: { $ports }.
ports-further-tls = Other ports with SSL/TLS: { $ports }.
ports-nothing-else = Nothing works without TLS, and nothing older than TLS 1.2.
ports-starttls = Take { $port } where you are asked. The application begins in the clear and switches to TLS before it says anything that matters; that switch is called STARTTLS.
ports-tls = Take { $port } where the application offers only “SSL/TLS”: everything is under TLS from the first octet. Both are as safe.
ports-tls-alone = Take { $port } with “SSL/TLS”: everything is under TLS from the first octet.
ports-which = Which port?

## Limits
limit-failures = After { $pairs } different wrong pairs of username and password, or { $failures } failed logins of any kind, within { $window } minutes your address is blocked for { $minutes } minutes, and longer while it goes on. An application that already works from the same address goes on working.
limit-messages = { $count ->
    [one] { $number } message on one connection.
   *[other] { $number } messages on one connection.
}
limit-recipients = { $count ->
    [one] { $number } recipient in a message, To, Cc and Bcc together. For more, split the mailing.
   *[other] { $number } recipients in a message, To, Cc and Bcc together. For more, split the mailing. What your application does with one more depends on it: some send to the first and say nothing, some stop. Each recipient that was refused is listed in Activity.
}
limit-sessions = { $user } connections of one username at a time, { $account } of one account.
limit-size = { $size } as sent ({ $octets } octets). Files grow by a third on their way into a mail: about { $files } of files.
limits-failures = Failed logins
limits-fit = What fits
limits-messages = Messages
limits-recipients = Recipients
limits-sessions = Connections
limits-size = Size
size-kilobytes = { $number } KB
size-megabytes = { $number } MB

## Help
help-blocked-do = Correct the password, then wait the minutes that it names.
help-blocked-means = This address was blocked after wrong passwords.
help-blocked-seen = at once, “too many failed logins”
help-clear-do = Choose STARTTLS, or the port with SSL/TLS, and “use authentication”.
help-clear-means = The application did not turn on encryption, or did not log in.
help-do = What to do
help-early-do = Choose STARTTLS.
help-early-means = The application logs in without encryption.
help-five = The person who administers your account has them.
help-large-do = Send a link instead of the file.
help-large-means = Larger than { $size }.
help-lede = For whoever enters the settings in WordPress, a shop, a CRM or a printer.
help-link = Help
help-login-do = Copy both again, without a space before or after; or have the password reset.
help-login-means = The username or the password is not right.
help-login-seen = or “Could not authenticate”
help-means = What it means
help-password = 20 letters and digits, shown once when it was made
help-quota-do = Send again from the day that it names, or ask your administrator for more.
help-quota-means = The account has sent to as many recipients this month as it may.
help-recipients-do = Split the mailing.
help-recipients-means = { $count ->
    [one] More than { $number } recipient.
   *[other] More than { $number } recipients.
}
help-see = What you see
help-sender-do = Set the sender to an address of that domain.
help-sender-means = The sender’s domain is not the one of this username, or is not authenticated yet.
help-sender-seen = at MAIL or at the end
help-stopped-do = Ask your administrator.
help-stopped-means = The password is right, but the SMTP user or the account may not send now.
help-title = Send from your application
help-username = letters and digits, given to you
help-when = When it does not work

## Test email
test-email = Send a test email
test-email-arrived = The recipient’s server has it. If it is not in the inbox, look among the spam.
test-email-choose = Choose
test-email-lede = A real message, by the way that your applications’ mail takes: what it lacks, theirs lacks.
test-email-reload = Look again
test-email-row = In Activity
test-email-send = Send it
test-email-sender = Sender
test-email-sender-hint = An address of { $domain }.
test-email-sent = A test email to { $recipient }
test-email-signed = Signed
test-email-signed-what = By DKIM for { $domain }, with { $selectors }.
test-email-to = Recipient
test-email-to-hint = Your own address shows you how it arrives.
test-email-unsigned = Not signed with a key that others can see
test-email-unsigned-what = None of the keys of { $domain } has been seen in DNS, so nothing proves to others where the mail comes from. Publish the records that the page of the domain shows, then verify.
test-email-what = Who sends, and to whom

## A demonstration
demo = Demonstration: all mail stays on this machine, whoever it is to.
demo-arrived = Nothing leaves this machine: the message is a file in { $folder }.
demo-certificate = The certificate of this demonstration was made for it, and no application knows its authority. Let yours trust the file { $path }: the ready pieces name it, and other applications take it from the environment variable SSL_CERT_FILE.
demo-download = Download the authority’s certificate
demo-how = How to connect
demo-mail = Every message that is delivered is kept in { $folder }, one file each, the last hundred of them. A message of an SMTP user in sandbox mode is in the test inbox instead.
demo-title = This demonstration
