# Why something failed, and what to do, in English. Each message has its twin of the same name below fr/.

## What became of an attempt
why-account-deleted = The account was deleted before this could be delivered.
why-cancelled = { $who } cancelled it.
why-complaint = The recipient told their provider that they did not want this message.
why-damaged = The relay accepted this message, and a fault of its disk damaged it before it could be delivered.
why-delivered = The recipient’s server took the message and said so.
why-domain-deleted = The sending domain was deleted before this could be delivered.
why-domain-lost = The sending domain lost its validation and did not get it back in time.
why-flood = { $count ->
    [one] One further refusal came too fast to be listed by itself.
   *[other] { $number } further refusals came too fast to be listed one by one.
}
why-given-up = Given up after { $span }. The last attempt: { $last }
why-held-damaged = Held because it is damaged on the relay’s disk. The operator of the relay was told.
why-held-domain = Held because the records of the sending domain are no longer published.
why-held-operator = Held by the operator of the relay until they release it.
why-held-suspended = Held because the account is suspended.
why-released = It was released, and is tried again now.
why-delayed = { $count ->
    [one] Delayed: accepted an hour ago.
   *[other] Delayed: accepted { $number } hours ago.
}
why-held-brake = Held by the automatic brake, until an administrator of the account or the operator of the relay releases it.
why-inbox = The test inbox cannot keep the message at the moment.
why-reported = Reported after the message was delivered: { $last }
why-reported-delayed = The recipient’s server reported that it has not delivered the message yet, and goes on trying.
why-reported-on = The recipient’s server reported that it delivered the message, or handed it on.
why-sandbox = Sandbox: kept in the test inbox, not sent on.
why-sandbox-more = The SMTP user is in sandbox mode: the message is kept in the test inbox, and was not sent on.
why-doubted-complaint = A complaint about this message came in, and no domain vouches for whoever sent it: it is not counted.
why-unattributed = A server reported that a message with several recipients failed, and did not say for which of them. It may be this one or another.
why-unattributed-complaint = A provider reported a complaint about a message with several recipients, and did not say from which of them. It may be this one or another.
why-then-blocked = { $count ->
    [one] The address was then blocked for a minute.
   *[other] The address was then blocked for { $number } minutes.
}
why-times = { $count ->
    [one] Once.
   *[other] { $number } times.
}
why-unsigned = The relay could not sign the message.
why-waiting = Waiting for its first attempt.
why-waiting-more = It is on the relay’s disk, and its first attempt comes next.
span-days = { $count ->
    [one] one day
   *[other] { $number } days
}
span-hours = { $count ->
    [one] one hour
   *[other] { $number } hours
}
span-minutes = { $count ->
    [one] one minute
   *[other] { $number } minutes
}
span-seconds = { $count ->
    [one] one second
   *[other] { $number } seconds
}

## What to do about it
fix-account-deleted = Nothing is to be done: what such an account sends is given up with it.
fix-complaint = Send nothing more to this recipient, and look at how they came onto your list: complaints harm your reputation more than bounces do.
fix-nothing = Nothing has to be done.
fix-doubted-complaint = Providers sign the complaints that they pass on. Where this one is real, send nothing more to this recipient.
fix-unattributed = Send each recipient a message of their own: then it is known who is meant.
fix-again = Send the message again if it is still wanted.
fix-brake = Look at why the brake is on, put that right, then release it on the Dashboard.
fix-domain-again = Add the domain again, publish its new records, then send the message again.
fix-given-up = Send it again later. If it keeps failing, ask the recipient by other means whether their mail works.
fix-later = Nothing for now, the relay tries again by itself. If it lasts for days, ask the recipient by other means.
fix-operator = Write to the operator of the relay.
fix-records = Publish the records that the page Domains shows for the sending domain, verify, then send again.

## Our replies: what they mean, and what to do
reply-account-suspended = The password is right, but the account is suspended.
reply-account-suspended-fix = Write to the operator of the relay.
reply-account-without-plan = The password is right, but the account has no plan: it was cancelled, or none was approved yet.
reply-account-without-plan-fix = An administrator can ask for a plan on the page Pricing.
reply-address-blocked = The address is blocked after failed logins, so the connection was refused.
reply-address-blocked-fix = Correct the username or password in the application, then wait for the end of the block or have it lifted.
reply-all-or-nothing = Another recipient of the same message was refused, and this SMTP user sends to all or to none.
reply-all-or-nothing-fix = Correct the recipient that was refused, then send again.
reply-already-accepted = The application sent the very same message again. It had been accepted before, so it was answered with the first id and not sent twice.
reply-already-accepted-fix = Nothing to do. The row of the first message, with the same subject, shows what became of it.
reply-argument-invalid = The application sent a command with a missing or malformed part.
reply-argument-invalid-fix = Update the application; the reply shows the right form.
reply-auth-blocked = The address is blocked after failed logins; the password was not looked at.
reply-auth-blocked-fix = Correct the username or password in the application, then wait for the end of the block or have it lifted.
reply-auth-encryption = The password travelled without encryption. It was thrown away unread.
reply-auth-encryption-fix = Choose STARTTLS in the application, then reset the password: others may have seen it.
reply-auth-failures-max = Too many logins failed in one session, so it was ended.
reply-auth-failures-max-fix = Correct the username or password in the application.
reply-auth-invalid = The username is right, the password is not.
reply-auth-invalid-fix = Copy the password again, without a blank before or after it. If it is lost, reset it.
reply-auth-mechanism-unknown = The application tried a way to log in that is not known here.
reply-auth-mechanism-unknown-fix = Choose “normal password”, PLAIN or LOGIN in the application.
reply-auth-required = The application tried to send without logging in.
reply-auth-required-fix = Switch authentication on in the application, and enter username and password.
reply-auth-unavailable = The relay could not look at its records, so nobody could log in.
reply-auth-unavailable-fix = Try again in a few minutes. The operator of the relay has been told.
reply-brake-on = The automatic brake is on for the SMTP user or its account: new mail is put off.
reply-brake-on-fix = Look at why on the page of the brakes, put that right, and release it. Applications with a queue try again by themselves.
reply-content-loop = The message has gone through too many servers: it runs in a circle.
reply-content-loop-fix = Look for two servers that send each other’s mail here, often by a forwarding.
reply-content-nul = The message has a NUL octet in it, which no mail may have.
reply-content-nul-fix = Have the application encode attachments in base64.
reply-errors-max = The application made too many errors in one session, so it was ended.
reply-errors-max-fix = Look at what was refused just before; each row says what was wrong.
reply-from-domain-foreign = The From address is not of the domain of this SMTP user.
reply-from-domain-foreign-fix = Use a From address of the user’s domain, and put the other one into Reply-To. A subdomain is a domain of its own.
reply-from-domain-unauthenticated = The domain of the From address is not validated.
reply-from-domain-unauthenticated-fix = Publish the records that the page Domains shows, then verify.
reply-from-missing = The message has no From field.
reply-from-missing-fix = Set the sender in the application.
reply-from-not-allowed = This SMTP user may not send with this From address.
reply-from-not-allowed-fix = An administrator of the account can change the list of addresses that the user may send from.
reply-from-several = The message needs one From field with one address, and has something else.
reply-from-several-fix = Set one From address in the application.
reply-header-too-long = The header of the message is too long.
reply-header-too-long-fix = Send to fewer addresses per message.
reply-messages-max = More messages came over one connection than the limit allows.
reply-messages-max-fix = Usually nothing: applications connect again and go on. If yours does not, have it send fewer messages per connection.
reply-network = The password is right, but this SMTP user may not log in from { $address }.
reply-network-fix = Is it you? Add { $address } to the networks of the user. If not, reset the password: somebody knows it.
reply-network-not-allowed = The address that this was handed in from is not in a network of this SMTP user.
reply-network-not-allowed-fix = Hand in from one of its networks, or let an administrator of the account change them.
reply-nobody = No SMTP user has this username.
reply-nobody-fix = Copy the username again; it is made of letters and digits, and is no email address. If the user was deleted, make a new one.
reply-parameter-invalid = The application sent a parameter that is malformed or given twice.
reply-parameter-invalid-fix = Update the application.
reply-parameter-unknown = The application asked for a feature that this relay does not offer.
reply-parameter-unknown-fix = Switch the feature off in the application; the reply names it.
reply-quota-reached = The monthly quota of the account was reached, so nothing was sent to this recipient.
reply-quota-reached-fix = Send it again once the quota renews, or ask the operator of the relay for a larger one.
reply-rate-limited = More mail came in a short time than the relay allows.
reply-rate-limited-fix = Usually nothing: applications with a queue try again by themselves. Spread large mailings over a longer time.
reply-recipient-literal = The recipient is at an IP address instead of a domain.
reply-recipient-literal-fix = Use an address at a domain.
reply-recipient-not-allowed = This SMTP user may not send to the domain of this recipient.
reply-recipient-not-allowed-fix = An administrator of the account can change the list of domains that the user may send to.
reply-recipient-not-ascii = The address has letters beyond ASCII, and the application did not say that it knows such addresses.
reply-recipient-not-ascii-fix = Use an address in plain letters, or an application that knows SMTPUTF8.
reply-recipient-suppressed = The address is on the account’s suppression list, so nothing was sent to it.
reply-recipient-suppressed-fix = If the address is good again, an administrator can lift the suppression.
reply-recipient-syntax = This is no complete email address.
reply-recipient-syntax-fix = Correct the address where it is kept: it needs a domain with a dot, such as name@example.org.
reply-recipients-max = The message has more recipients than the limit allows; those before this one were accepted.
reply-recipients-max-fix = Split the mailing. One message per recipient is best.
reply-recipients-one = The SMTP user sends with one-click unsubscribe: each message goes to one recipient, whom its link names. The first was accepted.
reply-recipients-one-fix = Send one message per recipient, or switch one-click unsubscribe off under Modify.
reply-sender-domain-foreign = The sender’s domain is not the one of this SMTP user.
reply-sender-domain-foreign-fix = Use a sender of the user’s domain, or an SMTP user of the sender’s domain. A subdomain is a domain of its own.
reply-sender-domain-unauthenticated = The sending domain is not validated.
reply-sender-domain-unauthenticated-fix = Publish the records that the page Domains shows, then verify.
reply-sender-not-allowed = This SMTP user may not send from this address.
reply-sender-not-allowed-fix = An administrator of the account can change the list of addresses that the user may send from.
reply-sender-not-ascii = The sender’s address has letters beyond ASCII, and the application did not say that it knows such addresses.
reply-sender-not-ascii-fix = Use a sender in plain letters, or an application that knows SMTPUTF8.
reply-sender-syntax = The sender is no complete email address.
reply-sender-syntax-fix = Correct the sender in the application.
reply-session-revoked = The SMTP user was changed while it was logged in: deleted, disabled, suspended, or given a new password.
reply-session-revoked-fix = Log in again with the password of now. The audit log says who changed what.
reply-sessions-account = The account has as many connections open as the limit allows.
reply-sessions-account-fix = Let the applications keep fewer connections open at once.
reply-sessions-address = More connections were open from one address than the limit allows.
reply-sessions-address-fix = Let the applications keep fewer connections open at once.
reply-sessions-total = The relay had as many connections open as it can hold.
reply-sessions-total-fix = Usually nothing: applications try again. If it happens often, write to the operator of the relay.
reply-sessions-user = The SMTP user has as many connections open as the limit allows.
reply-sessions-user-fix = Let the application keep fewer connections open, or make another SMTP user for a part of it.
reply-store-failed = The relay could not keep the message, and accepted nothing.
reply-store-failed-fix = Send it again later. The operator of the relay has been told.
reply-store-full = The disk of the relay was low on room.
reply-store-full-fix = Usually nothing: applications with a queue try again by themselves.
reply-tls-distrusted = The application does not trust the certificate of this server.
reply-tls-distrusted-fix = Enter the server’s name exactly as the page Connection settings shows it, and update the list of authorities that the application trusts.
reply-tls-failed = The encrypted connection could not be set up.
reply-tls-failed-fix = Check port and encryption in the application: the page Help says which belong together.
reply-tls-old = The application knows nothing newer than TLS 1.1.
reply-tls-old-fix = Update the application, the device’s firmware or the system; TLS 1.2 or 1.3 is needed.
reply-tls-required = The application tried to go on without encryption.
reply-tls-required-fix = Choose STARTTLS for this port in the application, or the port that the page Help names for SSL/TLS.
reply-too-large = The message is larger than the limit.
reply-too-large-fix = Send smaller files, which grow by a third on their way, or send a link. The page Help says how much fits.
reply-user-disabled = The password is right, but the SMTP user is disabled.
reply-user-disabled-fix = Still in use? An administrator of the account can enable it.
reply-user-expired = The password is right, but the SMTP user has expired.
reply-user-expired-fix = Still in use? An administrator of the account can move its expiry.
