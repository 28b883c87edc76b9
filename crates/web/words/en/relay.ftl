# What the operator's pages about the relay itself say in English: backups, its own mail, reports on TLS, addresses that are suppressed. Each message has its twin of the same name below fr/.

## Menu
menu-backups = Backups
menu-own-mail = Relay's own mail

## Backups
backup-busy = A backup is being made or checked since { $moment }. Mail flows meanwhile.
backup-by = by { $name }
backup-check = Check
backup-checked-at = Every file compared on { $moment }
backup-example = /backups/envoi/2026-11-30
backup-failed = The backup into { $folder }, begun on { $moment }, was not made
backup-folder = Folder
backup-folder-hint = By its whole path, on the relay's machine; one that does not exist yet, or is empty. The relay's user writes there: under systemd, ReadWritePaths= has to name the place.
backup-gone = Not there
backup-gone-what = Moved away or deleted since.
backup-inside = What is in it, and what is not
backup-inside-has = Accounts, members, plans, domains, SMTP users, suppressed addresses, the audit log, activity, and the mail that waits: all of them as of one moment.
backup-inside-key = The master key is not in it, unless you tick the box.
backup-inside-key-what = Keep it apart, once: it never changes. Without it no SMTP user can log in and no domain can sign after a restore.
backup-inside-lacks = Not in it: the content of mail that has left, test inboxes, the configuration file and the certificates. Keep a copy of these two elsewhere.
backup-key = Master key
backup-make = Make a backup
backup-make-do = Make the backup
backup-make-what = While mail flows. With much data it takes minutes; this page shows when it is done.
backup-moment = As of
backup-no-folder = Give the folder by its whole path: it begins with a slash.
backup-read-back = Every file was read back from the disk as it was made.
backup-restore = Bring one back
backup-restore-empty = Into an empty data folder, on the relay's machine, with the relay stopped: nothing is overwritten, and every file is compared with the manifest first.
backup-restore-hold = With --hold the mail that waited then is held, for you to look at under Queue: what was delivered since would be delivered a second time.
backup-restore-key = Put the master key in its place before the relay is started: master.key in the data folder, unless the configuration names another.
backup-restore-what = A running relay does not replace its own data: this is done in a shell.
backup-right = Right
backup-take-key = Copy the master key too
backup-take-key-what = Whoever has such a backup has every secret of the relay.
backup-waited = { $count ->
    [0] No mail waited.
    [one] { $number } message waited.
   *[other] { $number } messages waited.
}
backup-with-key = In it
backup-without-key = Not in it
backup-wrong = Damaged
backups-lede = Copies of everything that the relay knows, made while it works. Move them off this machine: a disk that dies takes what lies on it along.
backups-made = Backups made lately
backups-made-what = Those that this relay made, from here, by its API or in a shell. Older ones and those that were moved are where you put them.
backups-none = No backup was made yet
backups-none-what = Make the first one below, then one every night: envoi backup in a timer of the system.

## The relay's own mail
own-mail-add-this = Add { $domain }
own-mail-add-what = Then publish its records, as for a domain of an account.
own-mail-configuration = Configuration file
own-mail-domains = They belong to no account: no quota applies, and no limit.
own-mail-lede = Invitations, new passwords, warnings about quotas and certificates, and reports: the relay writes them from an address of yours. Without one, nobody is written to, and links are handed over by you.
own-mail-missing = { $domain }, which the relay is to write from, is not among its domains
own-mail-missing-do = Add it here, and publish its records in DNS: its mail is then signed like that of any other domain.
own-mail-nameless = The relay has no address to write from
own-mail-nameless-do = Name one in the configuration file, of a domain whose DNS you look after, then restart the relay. Its domain is added here.
own-mail-none = The relay has no domain of its own yet.
own-mail-used = The relay writes from here.
own-mail-waiting = The domain that the relay is to write from may not send yet
own-mail-waiting-do = Its records are still missing in DNS. Until they are there, nobody is written to.
own-mail-writes = The relay writes as { $address }.

## Reports on TLS
tls-policy-no-policy-found = No policy
tls-policy-sts = MTA-STS
tls-policy-tlsa = DANE
tls-report-counted = Sessions
tls-report-day = Day (UTC)
tls-report-domain = Domain
tls-report-due = report after { $moment }
tls-report-given-up = Given up
tls-report-held-to = Held to
tls-report-result = { $result }: { $count }
tls-report-results = What failed
tls-report-sent = Sent
tls-report-sessions = { $successes } succeeded, { $failures } failed
tls-reports-counted = Counted for the next reports
tls-reports-counted-none = Nothing is counted: no mail has gone out yet, or the configuration names no contact below [tls_reports].
tls-reports-counted-what = How TLS went with the mail servers of each domain, today and on days whose reports are still to go out. Only domains that ask for a report get one.
tls-reports-lede = Domains may ask whether mail reaches them over TLS (TLS-RPT). The relay counts it by the day and tells those that ask.
tls-reports-none = No report was sent yet.
tls-reports-sent = Reports sent
tls-reports-sent-what = The newest first.
tls-reports-title = Reports on TLS
tls-result-certificate-expired = Certificate expired
tls-result-certificate-host-mismatch = Certificate for another name
tls-result-certificate-not-trusted = Certificate of an unknown authority
tls-result-dane-required = DANE required, and no usable record
tls-result-dnssec-invalid = DNSSEC invalid
tls-result-starttls-not-supported = STARTTLS not offered
tls-result-sts-policy-fetch-error = MTA-STS policy not to be had
tls-result-sts-policy-invalid = MTA-STS policy invalid
tls-result-sts-webpki-invalid = Certificate of the MTA-STS policy's host invalid
tls-result-tlsa-invalid = TLSA record matches no certificate
tls-result-validation-failure = Other failure of the handshake

## Suppressed addresses of all accounts
suppressions-everywhere-lede = Addresses that accounts do not send to. Each account looks after its own; here all are found.
suppressions-everywhere-more = To add addresses, import a list or take one away as a file, look at the account in its place.
suppressions-everywhere-none = No suppressed address
suppressions-everywhere-none-what = None matches, or no account has any.

## What the relay keeps in sentences of its own
saying-authority-silent = The authority does not say why.
saying-broke-off = The conversation broke off: { $error }.
saying-dns = DNS does not say where { $host } is: { $fault }.
saying-http = HTTP cannot begin: { $error }.
saying-long = The reason is longer than { $most } octets.
saying-names-no-address = The line names no address.
saying-no-address = { $host } has no address in DNS.
saying-no-answer = There was no whole answer within { $seconds } seconds.
saying-no-cause = “{ $word }” is no cause: write manual, bounce, complaint or unsubscribed.
saying-no-certificate = No certificate can be valid for { $host }.
saying-no-challenge = The authority does not offer { $challenge } for { $name }.
saying-no-csv = From here on this is no CSV: a quotation mark is not closed.
saying-no-moment = “{ $given }” is no moment: write 2026-11-23, or 2026-11-23T21:00:00Z.
saying-no-user = “{ $user }” is no number of an SMTP user.
saying-not-a-domain = “{ $given }” is no domain name.
saying-not-an-address = “{ $given }” is no address.
saying-not-called = { $host } leads to { $address }, an address of a private or special network: nothing is sent there unless the operator allows it.
saying-order-long = The order was not finished within { $minutes } minutes.
saying-over = Its end has passed already.
saying-tls = TLS with { $host } failed: { $error }.
saying-unreached = { $remote } cannot be reached: { $error }.
saying-url = The URL cannot be called: { $error }.

## Connections of all accounts
connections-everywhere-lede = Logins and connections that came to nothing, of every account and of nobody: each with its cause and what to do about it.
connections-of-nobody = of no account
