# What the operator’s pages say in English. Each message has its twin of the same name under fr/.

## Overview
checks = What the relay stands on
checks-again = Look again
checks-all-well = { $count ->
    [one] The only check passed.
   *[other] All { $number } checks passed.
}
checks-left = { $count ->
    [one] One thing is left to do.
   *[other] { $number } things are left to do.
}
checks-look = Look now
checks-what = Ports, certificate, clock, disk, DNS, the relay’s own name and the way out. Looking takes some seconds.
domains-by-state = Domains by state
health = Health
health-activity-stopped = Activity is not read on. Mail goes on; look at the disk, then restart the relay.
health-blocks = { $count ->
    [one] One address is blocked after failed logins
   *[other] { $number } addresses are blocked after failed logins
}
health-crowd = { $address } carries { $count } of { $all } connections. If it is a load balancer or a gateway, name it in proxy_networks or shared_networks: one mistake there could block everybody behind it.
health-damage = Something kept was found damaged. The rest goes on: look at the disk, stop the relay, and let envoi doctor --repair say what can be done.
health-full = There is no room for new mail: it is answered 452 until there is. Make room on the disk, or raise spool_max.
health-lag = Activity is { $megabytes } MB behind: the disk is too slow, or something else keeps it busy.
health-latched = The store stopped after a failed write: nothing is taken or delivered. Look at the disk, then restart the relay.
health-well = The relay takes and delivers mail
listens-at = Listens at
overview-lede = { $host }, Envoi { $version }, running for { $period }.
overview-new = Nobody can send yet: the first steps lead from here to the first message.
period-days = { $count ->
    [one] a day
   *[other] { $number } days
}
period-hours = { $count ->
    [one] an hour
   *[other] { $number } hours
}
period-minutes = { $count ->
    [one] a minute
   *[other] { $number } minutes
}
tile-blocks = addresses that may not log in
tile-busiest = { $count } of them from { $address }
tile-connections = Open connections
tile-of = of at most { $number }
tile-recipients = { $count ->
    [one] for one recipient
   *[other] for { $number } recipients
}
tile-sending = { $count ->
    [one] one may send
   *[other] { $number } may send
}
tile-suspended = { $count ->
    [one] one suspended
   *[other] { $number } suspended
}

## First steps
steps-done = Everything is in place: applications can send.
steps-lede = From an empty { $host } to the first message: what the relay stands on, then who may send by it.
steps-next = From within an account you send a first message and make further SMTP users.
steps-user = Add an SMTP user
steps-then = Then, who may send
steps-then-what = These can be done while the checks above are still open: mail waits for them.
steps-title = First steps
step-account = The first account
step-account-do = Make an account
step-account-what = An account is an organisation that sends: it has members, domains and SMTP users of its own. Make one for yourself, too.
step-domain = The first domain
step-domain-do = To the accounts
step-domain-what = In the account, under Domains: add the domain that mail comes from, publish its records, and let them be verified. To try it, or without access to its DNS, vouch for it on the page of the account instead: it may send at once.
step-is-done = Done
step-user = The first SMTP user
step-user-do = Choose an account
step-user-what = In the domain: make an SMTP user. Its five settings go into the application, and the first message can be sent; the page of the domain sends a test email, too.
what-to-do = What to do:
check-fail = Failed
check-ok = Passed
check-warn = To be looked at
check-name-activity = Activity
check-advice-activity = Look at the disk, then restart the relay. Mail goes on meanwhile.
check-name-addresses = Where connections come from
check-advice-addresses = Say in the configuration whether that address stands for many.
check-name-blocks = Blocked addresses
check-advice-blocks = Look at the blocks: each says its cause and its end.
check-name-certificate = Certificate
check-advice-certificate = Renew it: without a valid certificate no application can connect.
check-name-clock = Clock
check-advice-clock = Put the clock right: TLS, signatures and every time shown depend on it.
check-name-configuration = Configuration
check-advice-configuration = Mend the configuration file, then restart the relay.
check-name-disk = Room on the disk
check-advice-disk = Make room before new mail has to be turned away.
check-name-dns = Name lookups
check-advice-dns = Let the relay reach a resolver: without one no mail finds its way.
check-name-dnssec = Signed answers (DNSSEC)
check-advice-dnssec = Let the relay ask a resolver that hands on DNSSEC signatures: without them mail goes out without DANE.
check-name-hostname = Name and address
check-advice-hostname = Give the relay a name of its own with an address record that leads here.
check-name-next-hop = The next server
check-advice-next-hop = See that the server which takes the mail on is up and reachable.
check-name-port = Port { $port }
check-advice-port = See the log of the relay, and any firewall in between.
check-name-relay = The relay
check-advice-relay = Start the relay.
check-name-reverse-name = Reverse name
check-advice-reverse-name = In your hosting provider’s panel, set the reverse name (PTR) of the address to the name of the relay.
check-name-spf = SPF of the relay’s own name
check-advice-spf = Publish the TXT record below: bounce mails are checked against it.
check-name-store = Store
check-advice-store = Look at the disk; the overview says more.
check-name-way-out = Port 25, outwards
check-advice-way-out = Ask your provider to open port 25 outwards, or send through another server by a route.
check-name-zone = The zone
check-advice-zone = Publish the NS record above the zone, and let its name servers be reached.

## Accounts
person-of-operator = { $name } (operator)
account-by-number = Number of the account
account-delete-which = What waits
account-delete = Deletion of the account
account-delete-ask = Delete…
account-delete-cancel = Give all its mail up that waits
account-delete-deliver = Deliver what waits for 24 hours; what is left then bounces
account-delete-do = Delete for good
account-delete-final = It cannot be undone, and its number is never given again. The audit log stays.
account-delete-held = What is held of its mail is given up in any case.
account-delete-purged = Its activity, calls to webhooks and suppressions are purged in the background, its domains with their keys once the queue is empty.
account-delete-stops = Its SMTP users, members, API keys and webhooks stop this instant; open connections are closed.
account-delete-title = Delete { $name }?
account-delete-type = Type { $name } to confirm
account-delete-typed-else = What you typed is not { $name }. Nothing was deleted.
account-delete-what = Takes its people, domains, SMTP users and activity with it, for good.
account-enter = Look in its place
account-is-active = Active
account-is-suspended = Suspended
account-language-hint = Of what the relay writes to it.
account-lede = Account { $number }, made { $made }.
account-make = Make an account
account-make-what = Its first administrator is added afterwards, under Members.
account-name-hint = The organisation’s name. No two accounts have the same.
account-no-domain = This account has no domain yet.
account-number = No. { $number }
account-one = Account
account-open = Open
account-quota = Quota of the period
account-quota-no-number = Recipients and day have to be whole numbers. Nothing was changed.
account-quota-what = A limit of its own takes the place of its plan’s until another plan begins. What it used stays used.
account-recipients = Recipients a month
account-recipients-hint = Empty: as its plan says.
account-renews = Renews on
account-renews-hint = 1 to 31; in a shorter month, its last day. The period begins at midnight in the time zone of the account.
account-renews-on = Day of renewal
account-resume = Resume
account-suspend = Suspend the account
account-suspend-ask = Suspend…
account-suspend-logins = Its applications are refused from this instant, open connections are closed.
account-suspend-members = Its members still sign in and look, and change nothing.
account-suspend-queue = What waits in its queue is held until it is resumed.
account-suspend-sure = It shall send nothing until I resume it
account-suspend-title = Suspend { $name }?
account-suspended-now = Its logins are refused, its queue is held, its members only look.
account-suspension = Suspension of the account
account-suspension-what = Stops its sending at once; it can be resumed at any time.
account-unlimited = Without limit
account-used = Used in this period
account-zone = Time zone
accounts-lede = Every organisation that sends by this relay.
accounts-none = No account yet
accounts-none-what = Make the first one below; its domains and SMTP users follow.
accounts-nothing-found = No account is like that. Look for a part of its name, its number, or one of its domains.
accounts-search = Name, number or domain
domain = Domain
domain-is-failed = Failed
domain-is-pending = Pending
domain-is-validated = Validated
domain-is-vouched = Vouched for
domain-is-warning = Warning
vouch = Vouch
vouch-end = Take the word back
vouch-what = Your word for a domain stands in place of its DNS records: mail from it is taken at once, and signed once its key is seen. It is lasting, shown to the account and audited.

## Queue
held-account-suspended = The account is suspended
held-brake = By the automatic brake
held-damaged = Damaged on the disk
held-domain-invalid = The domain lost its validation
held-operator = Held by the operator
octets = { $number } octets
site-open = Open
site-paused = Paused
site-probing = Being tried
site-slowed = Slowed
site-suspended = Suspended
site-unreached = Not reached
source-good = In use
source-set-aside = Set aside
source-tried = Being tried
sources-blocked = Blocked by
sources-blocked-until = { $site } (until { $moment })
sources-connections = Connections
sources-lede = The addresses that mail is sent from. One that nothing gets through from is set aside and tried again by itself; a site that blocks one gets its mail from the others of the pool.
sources-messages = Messages since the start
sources-more = { $count ->
    [one] { $sites } and one more
   *[other] { $sites } and { $count } more
}
sources-none = No named source
sources-none-what = Mail is sent from the address that the system chooses. Sources and pools are named in the configuration.
sources-pool = { $pool } (weight { $weight })
sources-pool-account = account { $number }
sources-pool-first = all other mail
sources-pool-plan = plan { $number }
sources-pool-whose = for { $whose }
sources-pools = Pools
sources-source = Source
sources-title = Sources
sources-warm-up = Warm-up
sources-warm-up-blocked = { $provider } blocked it today
sources-warm-up-climbing = { $provider }: { $today } of { $allowed } messages today, rung { $rung } of { $rungs }
sources-warm-up-full = { $provider }: { $today } of { $allowed } messages today, rung { $rung } of { $rungs }; goes on at 00:00 UTC
sources-warm-up-none = No mail yet
sources-warm-up-others = smaller providers
sources-warm-up-start = Begin the warm-up again
sources-warm-up-stop = Stop the warm-up
sources-warm-up-stopped = Stopped
sources-warm-up-warm = { $provider }: warm
sites-all = Show all
sites-blocked-until = { $source } (until { $moment })
sites-blocks = blocks { $sources }
sites-connection = on each { $messages } messages at the most, { $recipients } recipients in one transaction, { $seconds } s of waiting
sites-connections = Connections, of those allowed
sites-lede = The mail servers that mail goes to; domains that share theirs stand together. What a site said about this relay, and what follows: fewer connections, fewer messages a minute, or a pause, until it takes mail without a complaint.
sites-more = { $count ->
    [one] { $domains } and one more
   *[other] { $domains } and { $count } more
}
sites-none = No such site
sites-none-what = No mail waits or went out lately, or nothing is in force anywhere.
sites-pace = at most { $number } messages a minute
sites-resume = Try now
sites-site = Site
sites-title = Sites
sites-troubled = Show trouble only
sites-until = until { $moment }
sites-waiting = Recipients waiting
sites-why = Why
unknown-count = Times
unknown-domain = Last at
unknown-first = First
unknown-last = Last
unknown-lede = What other servers said that no rule knows, since the relay started. Addresses, numbers, names and ids are taken out, so that what is alike stands together. Such a failure suppresses nobody; a rule of your own ([bounces] in the configuration) gives it a class.
unknown-none = Every reply is known
unknown-none-what = Since the relay started, a rule knew whatever other servers refused.
unknown-reply = Reply
unknown-title = Unknown replies
queue-accepted = Accepted
queue-all-held-by-you = It is about every recipient that the operator holds, after a restore for instance; not about those of suspended accounts, nor about others of the same messages.
queue-attempts = Attempts
queue-cancel = Give it up
queue-cancel-all = Give all held up
queue-cancel-all-ask = Give all held up…
queue-cancel-all-sure = None of these messages shall be delivered
queue-cancel-all-title = Give every held message up?
queue-cancel-ask = Give up…
queue-cancel-of = “{ $subject }” from { $sender }
queue-cancel-sure = It shall not be delivered
queue-cancel-then = Recipients not yet reached become hard bounces with your name, and senders who want to be are told.
queue-cancel-title = Give this message up?
queue-due = next try { $moment }
queue-empty = Nothing waits
queue-empty-what = Every message was delivered, or has bounced.
queue-hash = SHA-256 of the content
queue-hold = Hold
queue-lede = What was accepted and is not settled yet, the oldest first.
queue-message = The message
queue-message-id = Message-ID
queue-no-sender = none (a bounce mail)
queue-no-subject = Without subject
queue-open = Show the message
queue-order = What is to become of it
queue-order-cancel = Give it up
queue-order-cancel-silently = Give it up without telling any sender
queue-order-cancel-silently-then = They become hard bounces with your name. No bounce mail goes out, whatever senders asked for. This cannot be undone.
queue-order-cancel-then = They become hard bounces with your name, and senders who want to be are told. This cannot be undone.
queue-order-hold = Hold it
queue-order-hold-then = What waits of it is held until it is released: it is not tried, and does not expire. Once released it is tried at least once, whatever its age.
queue-order-release = Release what you hold of it
queue-order-release-then = What you hold of it is tried now. What is held because of an account or a domain stays held.
queue-order-reroute = Send it another way
queue-order-reroute-then = From now on, over restarts, it goes to the next hop that is named, and what waits of it is tried there now.
queue-order-retry = Try it now
queue-order-retry-then = What waits of it is due now. It goes out as fast as the limits of each site allow.
queue-orders = Orders about a part of the queue
queue-orders-ask = A part of it…
queue-orders-lede = Name what the recipients have in common. They are counted first; nothing happens before you confirm.
queue-part = This part of the queue
queue-part-all = That was all.
queue-part-count = Count them
queue-part-counted = { $count ->
    [one] { $number } recipient { $of } waits there now.
   *[other] { $number } recipients { $of } wait there now.
}
queue-part-counted-messages = { $count ->
    [one] of { $number } message
   *[other] of { $number } messages
}
queue-part-do = Do it
queue-part-domain = Sending domain, by name or number
queue-part-done = { $count ->
    [one] It was done for one recipient.
   *[other] It was done for { $number } recipients.
}
queue-part-go-on = Go on
queue-part-hours = Accepted at least so many hours ago
queue-part-more = There is more: go on until it is done.
queue-part-recipient = Recipient: an address, or @domain
queue-part-sure = That is what I want
queue-part-to = To send it another way: the next hop of a route as host:port, or mx; empty: as the routes say
queue-part-under-way = { $count ->
    [one] One is being delivered right now, and is dealt with if that is deferred.
   *[other] { $number } are being delivered right now, and are dealt with if that is deferred.
}
queue-part-user = SMTP user, by username or number
queue-part-which = Which part
queue-recipients = { $count ->
    [one] one recipient
   *[other] { $number } recipients
}
queue-release = Release
queue-release-all = Release all held
queue-release-all-ask = Release all held…
queue-release-all-sure = All of these messages shall go out now
queue-release-all-then = They are tried at once. What was delivered before a restore is delivered again.
queue-release-all-title = Release every held message?
queue-retry = Try now
queue-sender = Sender
queue-size = Size
queue-to = To
queue-who = Recipients
recipient-held = Held
recipient-settled = Settled
recipient-waiting = Waiting

## Certificates
certificate-by-hand = By you: a new file in its place is taken up within seconds
certificate-ended = Over
certificate-ends = Ends
certificate-ends-soon = Ends soon
certificate-failures = { $count ->
    [one] The last order failed:
   *[other] The last { $number } orders failed, the latest with:
}
certificate-good = Good
certificate-left = { $count ->
    [0] today
    [one] one day left
   *[other] { $number } days left
}
certificate-names = Names
certificate-ordered-at = By itself; the next order is due { $moment }
certificate-ordering = By itself; an order is under way
certificate-renew = Order one now
certificate-renewal = Renewal
certificate-stands-in = Stands in
certificate-state = State
certificates-by-hand = A certificate can come and renew by itself, from an authority such as Let’s Encrypt: see [acme] in the configuration.
certificates-lede = What applications and browsers are shown under TLS. Whoever checks refuses one that is over, or for another name.
health-certificate-ended = The certificate for { $names } is over: no application that checks connects any more.
health-certificate-ends-soon = The certificate for { $names } ends soon.
health-certificate-stands-in = No certificate has come yet for { $names }: one that nobody trusts stands in.

## The zone
zone-file = Download the zone file
zone-lede = What the relay has in DNS: the keys and return paths of all domains, in a zone of yours, and what leads to it.
zone-no-addresses = Name the addresses that mail comes from with `addresses` below [zone], and they are shown here. Until then SPF goes by the addresses of { $name }.
zone-none = The relay has no zone of its own, so every domain publishes its keys itself. With a zone, below [zone] in the configuration, domains publish aliases that never change, and the relay can answer for them itself.
zone-outside = Outside the zone
zone-outside-what = To be published by hand, once: PTR records by whoever gave you the address.
zone-records = Lines of the zone file
zone-served = The relay answers for it itself, at { $addresses }: nothing of what follows has to be published.
zone-served-elsewhere = Your name servers answer for it: give them the file anew after each new domain, or let the relay answer, with `listen` below [zone].
zone-served-soon = The relay answers for it itself, once it runs.

## Blocks and limits
block-address = Address
block-aimed = Aimed at
block-cause = Cause of the block
block-lift = Lift
block-nobody = names that nobody has
block-since = Since
block-until = Until
blocks-lede = Addresses from which too many logins failed. A block ends by itself; whoever logged in from there before is not stopped.
blocks-none = No address is blocked
blocks-none-what = It would stand here with its cause and its end.
limit = What it limits
limit-changed = changed; by default { $number }
limit-default = by default
limit-name = Name in the configuration
limit-repeat-seconds = How long a message is remembered whose client may never have read that it was taken: the same once more is answered with the first id. 0: not at all.
limit-repeats-max = Messages of all SMTP users that are remembered for that; beyond it those of further ones are not.
limit-unsubscribe-requests-per-minute = Requests from one IP address (IPv6: /64) for the page on which recipients unsubscribe, evenly, after a burst of as many. Mailbox providers ask there for all their people.
limit-user-repeats-max = Messages of one SMTP user that are remembered because they may come once more: the oldest go.
limit-value = In force
limits-lede = The same for every account. They are set below [limits] of the configuration file.
limit-site-suspension-seconds-min = The first time that a site is left alone that says it blocks the relay; each further one is twice as long.
limit-site-suspension-seconds-max = The longest time that such a site is left alone before one message tries whether it takes mail again.
limit-site-pause-seconds-min = The first pause of a site that finds the relay too fast; each further one is twice as long.
limit-site-pause-seconds-max = The longest pause of such a site.
limit-site-messages-per-minute-min = The slowest pace that such a site gets its mail at.
limit-site-recovery-seconds = How long a site has to take mail without a complaint before it gets one more connection, or a quarter more messages a minute.
limit-unknown-replies-max = Shapes of replies that no rule knows, kept since the start for the operator: the rarest go.
limit-recipients-max = Recipients of one message; each further one is refused, the first stay accepted.
limit-message-octets-max = Size of a message as sent, attachments included.
limit-messages-max = Messages on one connection.
limit-user-sessions-max = Simultaneous sessions of one SMTP user.
limit-account-sessions-max = Simultaneous sessions of one account.
limit-address-sessions-max = Simultaneous connections from one IP address (IPv6: from one /64), logged in or not.
limit-address-refusals-per-minute = Refused connections from one IP address (IPv6: /64) that still get a handshake and a reply; faster ones are dropped before it.
limit-sessions-max = Simultaneous connections in all.
limit-login-pairs-max = Distinct wrong pairs of username and password from one IP address (IPv6: /64) within the window: then it is blocked.
limit-login-failures-max = Failed logins of any kind from one IP address (IPv6: /64) within the window: then it is blocked.
limit-login-window-seconds = The window in which failed logins are counted; what was tried is forgotten after it.
limit-block-seconds-min = The first block of an address; each further one is twice as long.
limit-block-seconds-max = The longest block of an address; a new block within as long after the end of the last is a further one.
limit-session-failures-max = Failed logins in one session, which then ends.
limit-session-errors-max = Errors of the client in one session, which then ends. Refusals by policy are none.
limit-known-login-days = How long a login keeps its pair of SMTP user and address from being stopped by a block.
limit-user-messages-per-minute = Messages of one SMTP user a minute, evenly; 0: no such limit.
limit-user-messages-burst = Messages of one SMTP user at once, before the rate a minute holds.
limit-handshake-seconds = The time a client has for the TLS handshake.
limit-proxy-seconds = The time a load balancer has to send its PROXY header.
limit-shutdown-seconds = The time that running transactions have to finish when the server stops.
limit-account-domains-max = Sending domains of one account; a deleted one counts until its mail has left the queue.
limit-account-users-max = SMTP users of one account.
limit-user-rules-max = Entries of each list in the rules of an SMTP user: its networks, senders and recipient domains.
limit-account-suppressions-max = Addresses that one account suppresses, those whose time is over counted until they go: past it no more are added.
limit-suppression-bounce-days = How long an address is suppressed after its server said that it does not exist.
limit-suppression-complaint-days = How long an address is suppressed after its owner called mail of the account spam.
limit-reason-octets-max = Length of a text that is kept: the reason of a suppression or of an answer to a request for a plan, and the message of such a request.
limit-account-members-max = Members of one account, or of the operator.
limit-plans-max = Plans of the operator, retired ones counted.
limit-api-keys-max = API keys of one account, or of the operator.
limit-webhooks-max = Webhooks of one account.
limit-webhook-waiting-max = Calls of one webhook that wait for its receiver; further events are counted as dropped.
limit-webhook-log-max = Calls in the log of one webhook, delivered or given up: the oldest go.
limit-webhook-requests-max = Conversations with the receivers of webhooks at once, in total.
limit-account-webhook-requests-max = Those with the receivers of one account.
limit-one-webhook-requests-max = Those with one receiver; with one that does not take what it is sent, one.
limit-webhook-seconds = The time that a receiver has to take a call, from the dial to the end of its answer.
limit-notice-fold-seconds = Refusals of the same user, recipient and reason within this time are one row with a count.
limit-console-requests-per-minute = Pages and forms of the console for one member, evenly, after a burst of a third of them; 0: as many as they like.
limit-api-requests-per-minute = Requests to the API with one key, evenly, after a burst of a tenth of them; 0: as many as it likes.
limit-sign-in-failures-burst = Failed sign-ins to the console in one name from one IP address (IPv6: /64) at once; then one a minute. In all names ten times as many.
limit-sign-in-member-failures-burst = Failed sign-ins aimed at one member, from where they never signed in, at once; then one a minute.
limit-sign-in-idle-seconds = How long a sign-in to the console lasts without being used.
limit-sign-in-days = How long a sign-in to the console lasts at the most.
limit-api-waits-max = Requests to the API that wait at once for a change.
limit-api-key-waits-max = Requests to the API with one key that wait at once for a change.
limit-account-idempotency-keys-max = Idempotency keys of one account, or of the operator, that are remembered; each is for 24 hours.
limit-account-idempotency-octets-max = Answers that are remembered under the idempotency keys of one account, or of the operator.
limit-idempotency-key-octets-max = Length of an idempotency key.
limit-api-held-octets-max = Messages handed in over HTTP that are held at once, as their bodies came; each takes up to three times as much memory for a moment.
limit-api-key-held-octets-max = Those that are handed in with one key; no body is larger.
limit-web-connections-max = Simultaneous connections over HTTP: to the API in all, and to metrics and health in all.
limit-web-address-connections-max = Those from one IP address (IPv6: from one /64). From this machine, where a proxy may stand for all, there is no such limit.
limit-web-handshake-seconds = The time a client over HTTP has for the TLS handshake.
limit-web-head-seconds = The time a client over HTTP has for the head of a request, from the answer before: one that asks for nothing is let go.
limit-web-body-seconds = The time a client over HTTP has for the body of a request.
limit-web-body-octets-per-second = A message handed in over HTTP has a second more than other bodies for each of so many octets.
limit-web-write-seconds = How long a client over HTTP may take nothing of its answer, before it is let go.
limit-notices-per-minute-max = New rows of refusals for one SMTP user (or, before a login, one address) a minute; further ones are counted in one row.
limit-remembered-addresses-max = Addresses with failed logins that are remembered at once; past it the longest silent ones are forgotten.
limit-activity-days = How long rows of Activity and Connections are kept.
limit-statistics-months = How long daily counters are kept, in months of 31 days.
limit-dial-seconds = The time that a next hop has to take our connection.
limit-opening-seconds = The time that all next hops of one delivery attempt have together, until one of them is ready for the message.
limit-attempt-seconds = The time of one delivery attempt in all.
limit-mail-hosts-max = Mail servers of a domain that are looked at in one attempt, the preferred ones first.
limit-mail-addresses-max = Addresses that are dialled in one attempt.
limit-tried-hosts-max = Other servers that an attempt is shown with in Activity, with what each said: those that were tried besides the one that decided.
limit-sts-policies-max = Domains whose policy (MTA-STS) is kept; past it those go whose time ends first.
limit-sts-fetch-seconds = The time in which a domain’s policy (MTA-STS) has to come. Mail waits for it where none is known.
limit-sts-fetches-max = Policies (MTA-STS) that are fetched at once.
limit-tls-report-domains-max = Domains whose TLS sessions are counted in one day, for reports to them (TLS-RPT); those of further ones are not.
limit-tls-report-rows-max = Rows about TLS sessions that failed in a report about one domain; further ones are told by their kind alone.
limit-tls-reports-kept-max = Reports on TLS that the list of those that were sent has: the oldest go.
limit-tls-reports-at-once = Reports on TLS that are under way over HTTPS at once.
limit-tlsa-records-max = TLSA records of one mail server that are looked at (DANE); of more the first ones count.
limit-transaction-recipients-max = Recipients that a next hop is given in one transaction, unless it asks for fewer.
limit-conversations-max = Conversations with other servers at once, in total.
limit-site-conversations-max = Conversations at once with one site: the mail servers that one domain or many share, or the next hop of a route.
limit-domain-looks-max = Sending domains whose records are looked at in DNS at once.
limit-account-domain-looks-max = Those of one account: its slow name servers delay nobody else.
limit-brake-bounce-percent = Part of the recipients that bounce for good within an hour at which the automatic brake of an SMTP user or account goes on; 0: never for that.
limit-brake-bounce-recipients-min = Recipients that have to come to their end within the hour before that part counts.
limit-brake-complaint-recipients-min = Recipients that have to be delivered to before that number counts.
limit-brake-complaints-per-ten-thousand = Complaints for ten thousand recipients delivered to, on two successive days of the last week, at which the automatic brake goes on; 0: never for that.
limit-brake-volume-factor = How many times the busiest of its last seven days an SMTP user or account sends on one day before the automatic brake goes on; 0: never for that.
limit-brake-volume-recipients-min = Recipients on one day that are no sudden volume for anybody: what is new may begin with so many.
limit-dkim-rotation-days = How long a DKIM key of a sending domain signs before the other selector’s takes its place by itself; 0: never.
limit-zone-queries-per-minute = Questions about the zone over UDP from one IP address (IPv6: /64), evenly, after a burst of a twentieth of them; of further ones every other is told to come over TCP, the rest get nothing. 0: as many as it likes.
limit-zone-connections-max = Simultaneous connections over TCP with questions about the zone.
limit-return-path-days = How long reports of other servers are taken at the address that mail went out with.
limit-recipient-reports-max = Reports of one recipient that are taken; further ones change nothing.
limit-report-octets-max = Size of one report of another server, as sent.
limit-report-connections-max = Simultaneous connections with reports of other servers.
limit-report-address-connections-max = Those from one IP address (IPv6: /64).
limit-reports-at-once-max = Reports whose content is taken in at once.
limit-report-address-at-once-max = Those from one IP address (IPv6: /64) at once.
limit-report-content-seconds = The longest that the content of a report takes.
limit-report-check-seconds = How long DNS is asked for SPF and DKIM of one report; the report is taken in any case.
limit-reports-per-minute = Recipients that one IP address may name where reports are taken. 0: as many as it likes.
limit-report-connection-seconds = How long a connection with reports lasts at the most.
limit-dmarc-opened-octets-max = Size of a DMARC report once its attachment is opened.
limit-dmarc-days = How long DMARC reports are kept.
limit-dmarc-reports-max = DMARC reports about one domain and day that are kept; further ones are not counted.
limit-dmarc-rows-max = Rows of one domain and day that DMARC reports are counted in; what further sources sent is counted together.
limit-dmarc-total-max = DMARC reports and rows of them that are kept in all: beyond it the oldest days go.
limit-zone-address-connections-max = Those from one IP address (IPv6: /64).
limit-zone-connection-seconds = How long a connection with questions about the zone lasts at the most.
limit-inbox-messages-max = Messages in the test inbox of one account: the oldest go.
limit-inbox-octets-max = Octets of the messages in the test inbox of one account: the oldest go. A message that is larger by itself is not kept.
limit-inbox-octets-total-max = Octets of the messages in all test inboxes: the oldest go.
limit-inbox-days = How long a message stays in a test inbox.
limit-client-priority-max = The highest priority that an application may ask for with MT-PRIORITY; 0: none above that of its SMTP user.
limit-delayed-seconds = How long after its acceptance a message counts as delayed: a sender that asked for it (NOTIFY=DELAY) is told once.
limit-notification-content-octets-max = Size of a message that a notification of its failure brings back whole, where the sender asked for that (RET=FULL); of a larger one it brings back the header.
limit-line-messages-max = Messages carried to a next hop on one connection.
limit-line-idle-seconds = How long a connection to a next hop may wait for further mail.
limit-line-age-seconds = How old a connection to a next hop may grow before it is used no more.
unit-API-keys = { $count ->
    [one] API key
   *[other] API keys
}
unit-SMTP-users = { $count ->
    [one] SMTP user
   *[other] SMTP users
}
unit-addresses = { $count ->
    [one] address
   *[other] addresses
}
unit-connections = { $count ->
    [one] connection
   *[other] connections
}
unit-conversations = { $count ->
    [one] conversation
   *[other] conversations
}
unit-days = { $count ->
    [one] day
   *[other] days
}
unit-domains = { $count ->
    [one] domain
   *[other] domains
}
unit-entries = { $count ->
    [one] entry
   *[other] entries
}
unit-errors = { $count ->
    [one] error
   *[other] errors
}
unit-failed-logins = { $count ->
    [one] failed login
   *[other] failed logins
}
unit-failed-sign-ins = { $count ->
    [one] failed sign-in
   *[other] failed sign-ins
}
unit-hosts = { $count ->
    [one] host
   *[other] hosts
}
unit-members = { $count ->
    [one] member
   *[other] members
}
unit-keys = { $count ->
    [one] key
   *[other] keys
}
unit-messages = { $count ->
    [one] message
   *[other] messages
}
unit-messages-a-minute = { $count ->
    [one] message a minute
   *[other] messages a minute
}
unit-months = { $count ->
    [one] month
   *[other] months
}
unit-octets = { $count ->
    [one] octet
   *[other] octets
}
unit-octets-a-second = { $count ->
    [one] octet a second
   *[other] octets a second
}
unit-recipients = { $count ->
    [one] recipient
   *[other] recipients
}
unit-records = { $count ->
    [one] record
   *[other] records
}
unit-refusals-a-minute = { $count ->
    [one] refusal a minute
   *[other] refusals a minute
}
unit-plans = { $count ->
    [one] plan
   *[other] plans
}
unit-policies = { $count ->
    [one] policy
   *[other] policies
}
unit-priority = as priority
unit-queries-a-minute = { $count ->
    [one] query a minute
   *[other] queries a minute
}
unit-replies = { $count ->
    [one] reply
   *[other] replies
}
unit-reports = { $count ->
    [one] report
   *[other] reports
}
unit-reports-a-minute = { $count ->
    [one] report a minute
   *[other] reports a minute
}
unit-requests = { $count ->
    [one] request
   *[other] requests
}
unit-requests-a-minute = { $count ->
    [one] request a minute
   *[other] requests a minute
}
unit-rows = { $count ->
    [one] row
   *[other] rows
}
unit-seconds = { $count ->
    [one] second
   *[other] seconds
}
unit-servers = { $count ->
    [one] server
   *[other] servers
}
unit-sessions = { $count ->
    [one] session
   *[other] sessions
}
unit-suppressed-addresses = { $count ->
    [one] suppressed address
   *[other] suppressed addresses
}
unit-wrong-pairs = { $count ->
    [one] wrong pair
   *[other] wrong pairs
}
unit-calls = { $count ->
    [one] call
   *[other] calls
}
unit-webhooks = { $count ->
    [one] webhook
   *[other] webhooks
}
unit-complaints = { $count ->
    [one] complaint
   *[other] complaints
}
unit-percent = { $count ->
    [one] percent
   *[other] percent
}
unit-times = { $count ->
    [one] time
   *[other] times
}
