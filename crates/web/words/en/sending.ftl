# What the pages of domains, SMTP users, the account and suppressions say in English. Each message has its twin below fr/.

## Lists and questions
row-actions = Actions for { $name }
question-tick = Tick the box first: this cannot be undone.
question-which = Which keys
ask-delete = Delete…
listing-after = Next
listing-before = Previous
listing-pages = Pages
listing-shown = { $first } to { $last } of { $whole }
open = Open

## Domains
bounce-mails = Bounce mails
bounce-mails-off = Off: what could not be delivered is shown in Activity, and no mail tells the sender.
bounce-mails-on = On: what could not be delivered is told by mail to the sender’s address, and shown in Activity.
bounce-mails-turn-off = Turn them off
bounce-mails-turn-on = Turn them on
sending-domain = Domain
domain-add = Add a domain
domain-add-do = Add domain
domain-add-first = Add your first domain
domain-add-hint = The part after the @ of your senders, exactly. A subdomain is a domain of its own.
domain-advice-elsewhere = Every record is there, but another account of this relay holds this domain. It is yours once the records of that account are gone from DNS.
domain-advice-first = Publish the records below where the DNS of your domain is kept, each at its own name. Wait some minutes, then press “Verify now”. The relay also looks by itself.
domain-advice-missing = { $count ->
    [one] One required record is missing or differs. Publish it as shown below, then press “Verify now”.
   *[other] { $number } required records are missing or differ. Publish them as shown below, then press “Verify now”.
}
domain-advice-unknown = The name servers of your domain did not answer rightly. That changes nothing; if it stays, tell your DNS provider.
domain-checked = The relay looks by itself, often while something is missing and daily once all is there. Last look: { $moment }
domain-checked-never = DNS was not asked yet.
domain-delete = Delete this domain
domain-delete-ask = Delete { $domain }…
domain-delete-do = Delete for good
domain-delete-final = It cannot be undone. Added again, the domain gets new records.
domain-delete-cancel = Give it up now: it is returned to its senders
domain-delete-deliver = Deliver it for 24 hours; what is left is then returned
domain-delete-which = Its mail that waits
domain-delete-stays = Activity and statistics stay.
domain-delete-title = Delete { $domain }?
domain-delete-type = Type { $domain } to confirm
domain-delete-typed-else = What you typed is not { $domain }. Nothing was deleted.
domain-delete-users = { $count ->
    [0] It has no SMTP user.
    [one] Its SMTP user stops this instant; open connections are closed.
   *[other] Its { $number } SMTP users stop this instant; open connections are closed.
}
domain-delete-what = Its SMTP users stop at once and its records are given up for good. Activity stays. Added again, it gets new records.
domain-double = { $domain } is in your list already.
domain-means-failed = Mail from it is refused until all required records are back.
domain-means-pending = Mail from it is refused until all required records were seen.
domain-means-validated = Mail from it is taken and signed.
domain-means-vouched = Mail from it is taken: the operator of the relay vouches for it. It is signed once its keys were seen in DNS.
domain-means-warning = Mail is still taken, until { $moment }; then it is refused until all required records are back.
domain-keys = Keys
domain-keys-what = Each algorithm has two keys: one signs, the other waits. Changing over needs no change in DNS; do it once a year, or when you fear that a key is known to others.
domain-last-look = Last look
domain-none = This is no domain name. Give the part after the @ of your senders, such as example.com.
domain-records = DNS records
domain-records-aliases = Aliases (CNAME) to publish where the DNS of { $domain } is kept. They lead to records that the relay looks after, so nothing has to be changed later.
domain-records-found = { $count ->
    [one] { $number } of { $all } records found
   *[other] { $number } of { $all } records found
}
domain-records-what = Records to publish where the DNS of { $domain } is kept.
domain-rotate = Change the signing keys…
domain-rotate-both = RSA and Ed25519
domain-rotate-do = Change over
domain-rotate-ed25519 = Ed25519 alone
domain-rotate-missing = Not in DNS at the last look: { $records }. A key can take over only where its record is there: mail signed by another would look forged.
domain-rotate-refused = Nothing was changed: { $records } was not in DNS at the last look, and mail signed by it would look forged. Publish it, press “Verify now” on the page of the domain, and try again; or change the other algorithm alone.
domain-rotate-rsa = RSA alone
domain-rotate-sealed = Messages that are signed already keep their signature. Leave the record of the old key in DNS.
domain-rotate-title = Change the signing keys of { $domain }?
domain-rotate-what = From now on the key that waits signs, and the one that signed waits. Nothing is to be changed in DNS.
domain-sends-until = Sends until { $moment }
domain-state = State
domain-state-failed = Failed
domain-state-pending = Pending
domain-state-validated = Validated
domain-state-vouched = Vouched
domain-state-warning = Warning
domain-verify = Verify now
domains-lede = A domain may send once its records are found in DNS: they prove that it is yours and let recipients check our signature.
domains-none = No domain yet
domains-none-what = Add the domain of your senders. You get records to publish at your DNS provider; most are found within minutes.
domains-yours = Your domains
record = Record
record-absent = Absent
record-absent-what = Nothing is at this name.
record-alias = Leads to
record-at = At
record-compare = Found and expected
record-dmarc = advised
record-dmarc-what = Tells recipients what you want done with forgeries, and where they may report them: put in an address that you read.
record-expected = Expected
record-form = Type
record-found = Found
record-found-what = As it should be.
record-has = Found
record-help = A record is not found?
record-help-long = A long value may have to be given in parts: providers join them.
record-help-name = Give the name as shown where your provider adds { $domain } by itself. Where it does not, write the domain behind it.
record-help-wait = What you publish is seen by all after some minutes, at some providers after an hour.
record-mail-elsewhere = Bounces would go to other mail servers than the relay.
record-name = Name
record-optional = { $kind }, optional
record-pending = Not asked yet
record-pending-what = Publish it, then press “Verify now”.
record-required = { $kind }, required
record-of = { $name }: { $said }
record-return-path = Return path
record-return-path-pending = For bounces. It is looked at with the other records.
record-return-path-unused = It may be. As long as it is not right, mail goes out with your own address, and what other servers report later does not come here.
record-return-path-what = for bounces that come later, optional
record-server = Said by
record-signature = Signature { $number }
record-signs = signs now
record-unknown = Unknown
record-unknown-what = DNS did not say. That changes nothing.
record-unknown-why = DNS did not say: { $fault }. That changes nothing.
record-unused = Absent
record-unused-what = It may be: mail then goes out without this signature.
record-value = Value
record-wrong = Wrong
record-wrong-what = Another value stands there: replace it as a whole.
record-zone-lacks = Your record is right. What it leads to is missing at the relay: tell its operator.

## DMARC and SPF of a domain
dmarc-aligned = A return path below this domain counts as well.
dmarc-no-reports = Nobody gets reports (rua).
dmarc-policy-missing = { $name } has a record without a policy: it does not count.
dmarc-policy-none = { $name }: mail that fails is delivered as ever (none). What this relay signs passes.
dmarc-policy-quarantine = { $name }: mail that fails goes to the spam folder (quarantine). What this relay signs passes.
dmarc-policy-reject = { $name }: mail that fails is refused (reject). What this relay signs passes.
dmarc-problem-no-policy = A policy is missing: p=none, p=quarantine or p=reject.
dmarc-problem-reports = An address for reports is not of the form mailto:name@example.com.
dmarc-problem-several = There is more than one DMARC record at this name: none of them counts. Leave one.
dmarc-problem-syntax = A part of it is not of the form tag=value.
dmarc-reports = Reports go to { $addresses }.
dmarc-strict = The signature alone counts: a return path below this domain does not (aspf=s).
dmarc-trial = It is only tried out (t=y), and not to be applied yet.
spf-absent = There is no SPF record at { $name }.
spf-broken-include = The SPF record of { $at } cannot be used: { $term } leads to a name without one SPF record.
spf-broken-lookups = The SPF record of { $at } cannot be used: with { $term } there are more than ten look-ups.
spf-broken-macro = The SPF record of { $at } has a macro, { $term }, which is not worked out here.
spf-broken-syntax = The SPF record of { $at } cannot be used: { $term } is not a term of SPF.
spf-broken-void = The SPF record of { $at } cannot be used: { $term } is the third that asks for a name that is not there.
spf-refused = The SPF record does not let the relay send from { $address }: { $term }.
spf-refused-unnamed = The SPF record does not let the relay send from { $address }: no part of it names that.
spf-several = There is more than one SPF record at this name: none of them counts.
spf-sourceless = SPF cannot be judged: it is not known where this relay sends from.
spf-unknown = DNS did not say who may send: { $fault }.

## SMTP users
credential-copied = I have copied it
credential-filled = Username and password are filled in.
credential-once = Copy the password now. It is shown this once and is not kept; lost, it can only be reset.
credential-title = “{ $name }” is ready
smtp-user = SMTP user
smtp-user-30-days = 30 days
smtp-user-add = Add an SMTP user
smtp-user-add-do = Create username and password
smtp-user-add-password = Add a second password
smtp-user-add-what = It sends from { $domain } and from no other domain. Username and password are made for you; the password is shown once.
smtp-user-application = The application that sends
smtp-user-counts = Recipients, by the days of the time zone { $zone }.
smtp-user-delete = Delete this SMTP user
smtp-user-delete-do = Delete SMTP user
smtp-user-delete-stays = Its mail in the queue is still delivered, and Activity stays. The username is never used again.
smtp-user-delete-sure = I understand that this cannot be undone
smtp-user-delete-title = Delete “{ $name }”?
smtp-user-delete-what = The application that uses it can send no more; its open connections are closed.
smtp-user-delivers-nothing = Delivers nothing
smtp-user-disable = Disable
smtp-user-double = Another SMTP user of this domain has this name already.
smtp-user-drop = End the older password…
smtp-user-drop-do = End the older password
smtp-user-drop-sure = The application has the newer one
smtp-user-drop-title = End the older password of “{ $name }”?
smtp-user-drop-what = An application that still uses it can send no more, and open connections are closed.
smtp-user-enable = Enable
smtp-user-example = WordPress shop
smtp-user-from = from { $address }
smtp-user-last = Last connection
smtp-user-made = Made
smtp-user-modify = Modify
smtp-user-modify-what = The username never changes.
smtp-user-name = Name
smtp-user-name-hint = The name of the application, for you and your colleagues alone.
smtp-user-never = None in the last 30 days
smtp-user-no-name = Give a name of 1 to 100 characters on one line.
smtp-user-of = Sends from { $domain }.
smtp-user-password = Passwords
smtp-user-password-gone = Shown once when it was made; it is kept nowhere.
smtp-user-password-newer-unused = The newer one has not been used yet.
smtp-user-password-newer-used = The newer one was last used { $when }.
smtp-user-password-older-unused = The older one has not been used since such uses are noted.
smtp-user-password-older-used = The older one was last used { $when }.
smtp-user-password-one-unused = It has not been used since such uses are noted.
smtp-user-password-one-used = It was last used { $when }.
smtp-user-passwords = { $count ->
    [one] One password works.
   *[other] { $number } passwords work, until you end the older one.
}
smtp-user-rename = Rename
smtp-user-reset = Reset the password…
smtp-user-reset-do = Reset the password
smtp-user-reset-instead = To change it without a gap, add a second password instead.
smtp-user-reset-sure = I understand that the old password stops now
smtp-user-reset-title = Reset the password of “{ $name }”?
smtp-user-reset-what = Every password of it stops this instant, and open connections are closed. The application cannot send until it has the new one.
smtp-user-rotation = To change it without a gap: add a second one, give it to the application, then end the first.
smtp-user-rotation-end = Once the application has the newer one, end the older.
smtp-user-sent-30-days = Sent in the last 30 days
smtp-user-sent-today = Sent today
smtp-user-state-active = Active
smtp-user-state-disabled = Disabled
smtp-user-state-expired = Expired
smtp-user-state-sandbox = Sandbox
smtp-user-today = Today
smtp-user-until = Until the end of { $day }
smtp-user-use = Use
smtp-user-view = View details
smtp-user-works = Works
smtp-users = SMTP users
smtp-users-none = None yet. Make one for each application that sends from this domain.
smtp-users-what = One for each application, so that one can be stopped without the others.

## Their rules
rules = Rules
rules-all = All or nothing
rules-all-what = Where one recipient of a message is refused, refuse the whole message. For applications that would send to the others and then repeat.
rules-behaviour = How it behaves
rules-days = { $count ->
    [one] { $number } day
   *[other] { $number } days
}
rules-domains = Recipient domains
rules-domains-hint = One a line. Empty: everyone.
rules-expires = Expires on
rules-expires-hint = Empty: never. Its logins end with that day.
rules-hours = { $count ->
    [one] { $number } hour
   *[other] { $number } hours
}
rules-minutes = { $count ->
    [one] { $number } minute
   *[other] { $number } minutes
}
rules-more = More: expiry, networks, senders, recipients, tests
rules-networks = Networks it may log in from
rules-networks-hint = One network or address a line. Empty: from anywhere.
rules-no-domain = “{ $text }” is no domain name.
rules-no-expiry = Give a day to come.
rules-no-network = “{ $text }” is no network: write 203.0.113.0/24, or one address.
rules-no-sender = “{ $text }” is no address of this domain. A subdomain is a domain of its own.
rules-priority = Priority
rules-priority-high = High: somebody waits for it
rules-priority-hint = Of your account’s mail, what has a higher priority goes first.
rules-priority-low = Low: newsletters, mailings
rules-priority-normal = Normal
rules-repeat = The same message again
rules-repeat-default = only after a broken connection
rules-repeat-hint = Within this period the same Message-ID, recipients and content are taken for one message: it is answered with the first id and not sent twice.
rules-retry = Retry for
rules-retry-default = As the relay does
rules-retry-hint = What is not delivered by then is a soft bounce.
rules-sandbox = Sandbox
rules-sandbox-what = Accept and sign everything, keep it in the test inbox, deliver nothing. For tests.
rules-senders = Sender addresses
rules-senders-hint = One a line. Empty: any address of { $domain }.
rules-suppressed = Tell the application about suppressed recipients
rules-suppressed-what = Answer 550 instead of 250. Either way Activity shows Rejected.
rules-unsubscribe = One-click unsubscribe
rules-unsubscribe-what = For newsletters: each message gets the fields List-Unsubscribe and List-Unsubscribe-Post (RFC 8058), signed, unless it brings its own. Whoever unsubscribes gets nothing more from this SMTP user; the others still reach them. A message then goes to one recipient: a second one is answered 452.
rules-what = What this SMTP user may do.

## The account
own-account-double = Another account of this relay has this name already.
own-account-language-hint = Of what the relay writes to this account. What you yourself read is set in your profile.
own-account-lede = Account { $number }, made on { $day }
own-account-name = Name
own-account-no-name = Give a name of 1 to 100 characters on one line.
own-account-what = Name, clock and language
own-account-zone = Time zone
own-account-zone-hint = Of all times that the pages of this account show. Days are counted by it from now on, and the period of the quota renews at its midnight; what is counted already stays where it is.

## Suppressions
suppression-add = Suppress an address
suppression-add-do = Suppress
suppression-address = Address
suppression-all = Show all
suppression-by-unsubscribed = Unsubscribed
suppression-count = { $count ->
    [one] One address.
   *[other] { $number } addresses.
}
suppression-by-bounce = No such address
suppression-by-complaint = Complaint
suppression-by-manual = By hand
suppression-cause = Cause
suppression-cause-any = Any cause
suppression-export = Download as CSV
suppression-import = Import a list
suppression-import-added = { $count ->
    [0] No address was added
    [one] { $count } address is suppressed now
   *[other] { $count } addresses are suppressed now
}
suppression-import-do = Suppress them
suppression-import-done = The list was read
suppression-import-file = A file
suppression-import-hint = One address on each line; or CSV whose first line names the columns: address, cause (manual, bounce, complaint, unsubscribed), reason, until, smtp_user. At most some fifty thousand lines at a time.
suppression-import-known = { $count ->
    [0] None of them was suppressed before.
    [one] { $count } was suppressed already.
   *[other] { $count } were suppressed already.
}
suppression-import-lede = Bring the addresses that another service suppressed for you, so that nothing is sent to them from here either.
suppression-import-line = Line
suppression-import-list = The list
suppression-import-title = Import suppressed addresses
suppression-import-untaken = { $count ->
    [one] { $count } line was not taken. The others were.
   *[other] { $count } lines were not taken; the first hundred are below. The others were.
}
suppression-import-why = Why not
suppression-lasting = until it is lifted
suppression-lift-risk = Before you lift one: mail to an address that does not exist, or to somebody who complained, costs your domain its good name, and with it the delivery of everybody else’s mail. Lift it where you know that the address is good again.
suppression-lift-unsubscribed = Somebody who unsubscribed wants no more of this mail, and the law (CASL, GDPR) is on their side. Lift it only where they themselves have asked to be written to again.
suppression-no-day = This is no day. Give it as 2027-01-31, or leave it empty.
suppression-since = Since
suppression-stream = Mail of { $name } alone
suppression-stream-gone = Mail of SMTP user { $user } alone, which is deleted
suppression-until = Until
suppression-until-hint = Empty: until somebody lifts it.
suppression-lede = Addresses that this account does not send to. The application gets its 250, Activity shows Rejected, and nothing counts.
suppression-lift = Lift
suppression-list = Suppressed addresses
suppression-no-address = This is no address. Give it as name@example.com.
suppression-none = Nothing is suppressed
suppression-none-what = Put in the address of somebody who wants no more mail of yours.
suppression-not-found = No suppressed address has “{ $search }” in it.
suppression-reason = Reason
suppression-reason-hint = Kept with the address. May be empty.
suppression-search = Search

## Erasing a recipient, and how long activity is kept
own-account-days = Keep activity for so many days
own-account-days-hint = Rows of Activity and of failed connections and the log of webhooks go after that. Empty: { $max } days, as long as this relay keeps any.
own-account-no-days = Give a whole number of days from 1 to { $max }, or leave the field empty. Nothing was changed.
erase = Erase a recipient
erase-lede = Somebody may ask that nothing be kept about them. What this account keeps about one address goes for good.
erase-ask = Erase a recipient…
erase-whom = Whose traces are to go
erase-what = Their rows of Activity with every event, refusals and failed connections that name them, calls to webhooks that tell of them, also those that were not sent yet, and messages of the test inbox that were for them.
erase-stays = Statistics stay: they name nobody. The audit log tells how much was erased, and not of whom.
erase-queue = Mail to them that is in the queue stays there, and so does its row: ask again once it has left.
erase-suppression = Lift their suppression too. Without one, mail to them may go again.
erase-sure = It shall be erased, and cannot be brought back
erase-do = Erase for good
erase-done = Erased of { $address } – rows of Activity: { $rows }; connections: { $connections }; calls to webhooks: { $calls }; messages of the test inbox: { $messages }.
erase-done-suppression = The suppression is lifted: mail may go there again.
erase-done-waiting = { $count ->
    [one] One row is left, because its mail is in the queue. Ask again once it has left.
   *[other] { $number } rows are left, because their mail is in the queue. Ask again once it has left.
}
unsubscribe-ask = { $address } will get no more mail of this kind.
unsubscribe-ask-of = { $address } will get no more mail of this kind from { $sender }.
unsubscribe-do = Unsubscribe
unsubscribe-done = You are unsubscribed
unsubscribe-done-what = Nothing more of this kind goes to { $address }. What is on its way already may still arrive.
unsubscribe-failed = That could not be kept
unsubscribe-failed-what = Please try again in a few minutes.
unsubscribe-title = No more of this mail?
unsubscribe-void = This link is not complete
unsubscribe-void-what = It is none that was sent from here. Open it from the mail itself, or copy the whole of it.
