# What the pages of a domain's reports on DMARC and of its health say in English. Each message has its twin below fr/.

## Reports on DMARC
dmarc-title = DMARC reports of { $domain }
dmarc-lede = What mailbox providers saw of mail with this domain after the @ of its sender, whoever sent it. They report once a day.
dmarc-off = This relay takes no DMARC reports. Its operator can turn that on.
dmarc-none = No reports yet
dmarc-none-what = Providers send them to the addresses in the DMARC record of the domain (rua). Add this one there; the first reports come a day or two later.
dmarc-in-all = In all
dmarc-messages = Messages
dmarc-passed = Passed
dmarc-dkim = Signature (DKIM)
dmarc-spf = Sender (SPF)
dmarc-quarantined = Put in spam
dmarc-rejected = Refused
dmarc-sources = Where it came from
dmarc-sources-what = Each server that sent mail with your domain, and what part of that passed. One that you do not know is a service that you forgot, or a forger.
dmarc-source = Address
dmarc-source-own = this relay
dmarc-source-others = Further ones, together
dmarc-days = Day by day
dmarc-days-what = Days are those of the reports, in UTC.
dmarc-reporters = Who reports
dmarc-reporters-what = What they are called is what they say of themselves; the domain below is known by SPF or DKIM. Reports that no domain vouches for are not in the sums.
dmarc-vouched = { $domain } vouches for it
dmarc-unvouched = Nobody vouches for it: not counted
dmarc-unchecked = Not checked
dmarc-reporter = Provider
dmarc-reports-number = Reports
dmarc-advice-none = All mail that was reported on passed DMARC.
dmarc-advice-own = { $count ->
    [one] One message from this relay did not pass. Look at the records of the domain: each of them has to be found.
   *[other] { $count } messages from this relay did not pass. Look at the records of the domain: each of them has to be found.
 }
dmarc-advice-others = { $count ->
    [one] One message that did not come from this relay failed. If you know its source, let that sign with your domain; if not, somebody forges it, and a stricter policy (p=quarantine, p=reject) keeps such mail off.
   *[other] { $count } messages that did not come from this relay failed. If you know their sources, let those sign with your domain; if not, somebody forges it, and a stricter policy (p=quarantine, p=reject) keeps such mail off.
 }
dmarc-advice-some = { $count ->
    [one] One message failed. If this relay sent it, look at the records of the domain; if a service of yours did, let that sign with your domain; if you do not know its source, somebody forges it.
   *[other] { $count } messages failed. If this relay sent them, look at the records of the domain; if a service of yours did, let that sign with your domain; if you do not know their sources, somebody forges it.
 }
dmarc-see = DMARC reports
dmarc-add = Add mailto:{ $address } to its rua, and the reports are shown here.

## How a domain fares
health-title = Health of { $domain }
health-lede = How this domain fares with those who receive its mail, and what to do next.
health-see = Health
health-see-domain = To the records
health-looked-at = Looked at
health-verdict = State
health-found = Found
health-next = Next step
health-how = Bounces and complaints are those of the last 30 days that came to the relay. Providers count for themselves, and see more of them.
health-published = { $provider } has published { $rate }
health-verdict-good = Good
health-verdict-unknown = Too little known
health-verdict-watch = To be watched
health-verdict-bad = Bad
health-about-records = Records
health-about-return-path = Return path
health-about-policy = DMARC policy
health-about-alignment = DMARC, as receivers saw it
health-about-bounces = Hard bounces
health-about-complaints = Complaints
health-about-blocklist = Blocklists
health-records-right = Every required record is there, and mail is signed.
health-records-unsigned = The operator vouches for the domain, but its records are not all there: mail goes out unsigned.
health-records-lost = A required record is missing that was there before: mail is taken for 72 hours.
health-records-missing = Required records are missing: mail is refused.
health-return-path-right = It is right: bounces and reports that come later reach the relay.
health-return-path-missing = It is not right: bounces and reports that come later do not reach the relay.
health-policy-unknown = It is not known yet what policy there is.
health-policy-broken = The DMARC record has a mistake.
health-policy-absent = There is none: large providers refuse bulk mail without one.
health-policy-open = It asks for nothing yet (p=none).
health-policy-strict = It keeps off mail that fails.
health-alignment-unknown = Messages reported on: { $of }. That is too little to say something.
health-alignment-own = Messages of this relay that did not pass: { $count }.
health-alignment-others = { $count } of { $of } messages with the domain’s name did not pass.
health-alignment-good = { $count } of { $of } messages with the domain’s name passed.
health-bounces-few = Recipients that came to their end: { $of }. That is too little for a rate.
health-bounces-good = { $count } of { $of } recipients: { $rate }.
health-bounces-watch = { $count } of { $of } recipients: { $rate }, which is much.
health-bounces-bad = { $count } of { $of } recipients: { $rate }, which is too much.
health-complaints-few = Recipients delivered to: { $of }. That is too little for a rate. Complaints: { $count }.
health-complaints-good = { $count } of { $of } recipients delivered to: { $rate }.
health-complaints-watch = { $count } of { $of } recipients delivered to: { $rate }, which is much.
health-complaints-bad = { $count } of { $of } recipients delivered to: { $rate }, which is too much.
health-blocklist-listed = { $name } is in the list { $list }.
health-blocklist-clean = None of the lists that were asked has an address of the relay or the domain.
health-do-records-unsigned = Publish the records that the page of the domain shows, then press “Verify now”.
health-do-records-lost = Publish the missing record again, then press “Verify now”.
health-do-records-missing = Publish the records that the page of the domain shows.
health-do-return-path-missing = Publish the return path that the page of the domain shows.
health-do-policy-unknown = Press “Verify now” on the page of the domain.
health-do-policy-broken = Mend what the page of the domain says of it.
health-do-policy-absent = Publish the DMARC record that the page of the domain advises.
health-do-policy-open = Once all your mail passes, ask for more: p=quarantine, then p=reject.
health-do-alignment-unknown = Have reports sent to the address that the page of DMARC reports shows.
health-do-alignment-own = See that every record of the domain is found.
health-do-alignment-others = Look where they came from. Let your own services sign with the domain; where somebody forges it, ask for a stricter policy.
health-do-bounces-watch = Send only to addresses that their owners gave you, and take out those that bounced.
health-do-bounces-bad = Stop sending to old lists: send only to addresses that their owners gave you, and take out those that bounced.
health-do-complaints-watch = Send only what people asked for, and let them unsubscribe with one click.
health-do-complaints-bad = Send nothing more to people who did not ask for it, and let all others unsubscribe with one click.
health-do-blocklist-listed = Tell the operator of the relay. The cause is to be found first; then the keeper of the list takes the entry out.
