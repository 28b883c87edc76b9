# What the dashboard, Activity and Connections say in English. Each message has its twin of the same name below fr/.

## Periods
period-30 = Last 30 days
period-7 = Last 7 days
period-custom = Custom
period-from = From
period-show = Show
period-to = To
period-today = Today
period-wrong = Those two days make no period: the first must not come after the last, and statistics are kept for { $days } days. The last 7 days are shown instead.
period-yesterday = Yesterday

## Dashboard
begin-connect = Connect the application
begin-connect-what = Enter server, port, username and password in WordPress, your CRM or the printer. The page Connection settings has them ready to copy.
begin-delivered = See it delivered
begin-delivered-what = Send a test message to yourself. It appears in Activity within a second or two, with what became of it.
begin-domain = Add the domain that you send from
begin-domain-do = Add a domain
begin-domain-what = You get a few DNS records to publish. They prove to every mail server that the mail is really yours.
begin-title = Four steps to your first message
begin-user = Make an SMTP user
begin-user-what = One for each application, so that you can tell them apart and stop one without the others. Its password is shown once.
begin-what = This account has no sending domain yet. Its administrators can take the first step now.
chart = Chart
chart-all = Cumulative
chart-at = { $when }: { $values }
chart-cumulative = Recipients, delivered and bounces, added up day by day, { $period }
chart-delivered = Delivered
chart-each = New
chart-hard-bounces = Hard bounces
chart-lower = Bounces
chart-new = Recipients, delivered and bounces per day, { $period }
chart-recipients = Recipients
chart-soft-bounces = Soft bounces
chart-table = Show these numbers as a table
chart-title = Day by day
chart-upper = Recipients and delivered
dashboard-complaints = Complaints
dashboard-complaints-what = of the recipients delivered to
dashboard-against = against { $period }
dashboard-day = Day
dashboard-domains-all = All domains
dashboard-domains-none = No domain of this account may send at the moment. Publish its DNS records, then verify it.
dashboard-domains-what = Those that may send now, with what they sent in this period.
dashboard-hidden = What was sent, and what became of it, is shown to members who may see SMTP activities. An administrator of the account can give you that access.
dashboard-last = Last 10 activities
dashboard-last-all = All activity
dashboard-last-none = Nothing has been sent in the last 30 days.
dashboard-lede = Everything counts recipients. Days are those of the time zone { $zone }; today is { $day }.
dashboard-nothing-before = nothing before
dashboard-points = { $number } pt
dashboard-renews = Renews on
dashboard-span = { $from } to { $to }
dashboard-state = State
dashboard-under-way = Still under way
dashboard-under-way-what = waiting, or tried again by ourselves
dashboard-unlimited = Unlimited
dashboard-used = Recipients of this account
dashboard-used-so-far = Used in this period
sends-validated = Validated
sends-vouched = Vouched for
sends-warning = Record missing

## Activity
activity-address-example = mary@ or @a.com
activity-class = Class of the failure
activity-clear = Clear
activity-domain = Sending domain
activity-domains-all = All domains
activity-empty = Nothing here yet
activity-empty-what = As soon as an application sends through this account, each recipient has a row here with what became of it.
activity-encryption = Encryption
activity-export = Export
activity-export-csv = CSV (spreadsheet)
activity-export-json = JSON
activity-hello-name = Said hello as
activity-lede = One row for each recipient. The last 30 days at most.
activity-live = Live
activity-live-what = New rows appear by themselves.
activity-message = Message
activity-message-id = Message id
activity-message-id-field = Message-ID field
activity-more = More filters
activity-newest = To the newest
activity-newest-first = Newest first
activity-nothing = Nothing matches
activity-nothing-what = No recipient in this period fits all the filters. A longer period or fewer filters may find it.
activity-octets = { $count ->
    [one] { $number } byte
   *[other] { $number } bytes
}
activity-older = Older
activity-pages = Pages
activity-period = Period
activity-recipient = Recipient
activity-recipient-none = No recipient yet
activity-recipients = Recipients
activity-recipients-all = All of this message
activity-reference = Reference
activity-search = Search
activity-sender = Sender
activity-session = Session
activity-session-id = Session id
activity-sha256 = SHA-256 as submitted
activity-sha256-delivered = SHA-256 as delivered
activity-sha256-equal = The same: nothing was changed on the way. The signature is put in front of it.
activity-size = Size
activity-status = Status
activity-subject = Subject
activity-subject-and-sender = Subject and sender
activity-subject-unknown = (refused before its subject came)
activity-subject-none = (no subject)
activity-time = Time
activity-took = Submission took
activity-took-milliseconds = { $took } ms
activity-user = SMTP user
activity-users-all = All SMTP users
activity-what-to-do = What to do: { $fix }
activity-export-busy = As many files as can be made at once are being made. Try again in a minute.
activity-wrong-days = Those days make no period: the first must not come after the last.
activity-wrong-id = That is not the id of a message: it has 26 letters and digits, as in “queued as …”.
brake-complaints = Of { $of } recipients delivered to on two successive days, { $counted } called the mail spam. Providers close their doors from 3 in a thousand on.
brake-hard-bounces = Of { $of } recipients, { $counted } bounced for good within an hour. Often the list is old or bought, or a password was stolen.
brake-of-account = The whole account
brake-of-user = SMTP user “{ $name }”
brake-reference = Reference
brake-release = Release
brake-since = Since
brake-then-look = Look in Activity at what was sent. If that was not you, reset the password of the SMTP user first. Then release the brake: what was held goes out.
brake-then-new = New mail is answered “450 4.7.1”: applications with a queue try again by themselves.
brake-then-operator = It went on again within a day of its release: the operator of the relay looks at it, and can release it.
brake-then-queue = What waits in the queue is held. It does not expire, and nothing is lost.
brake-volume = It sent to { $counted } recipients; by what it sent in the last week, up to { $of } were to be expected.
braked = The automatic brake is on: mail is put off and held until somebody has looked and releases it.
braked-look = Look and release
brakes-lede = When much bounces, many complain, or far more is sent than usual, mail is put off and held before it harms the reputation of all.
brakes-none = No brake is on
brakes-none-what = Mail is taken and goes out.
brakes-title = Automatic brakes
status-accepted = Accepted
status-all = All
status-complaint = Complaint
status-deferred = Deferred
status-delivered = Delivered
status-hard = Hard bounce
status-pending = Pending
status-rejected = Rejected
status-soft = Soft bounce
timeline-accepted = On disk, and ours to deliver. We answered:
timeline-report = Report of another server
timeline-attempt = Attempt { $number }: { $status }
timeline-attempt-from = { $server }, { $how }, { $took } ms, sent from { $source }
timeline-attempt-how = { $server }, { $how }, { $took } ms
timeline-clear = not encrypted
timeline-clear-tested = not encrypted, which the MTA-STS policy of the domain would refuse if it were not on trial
timeline-clear-why = not encrypted ({ $why })
timeline-connected = The application connected
timeline-encrypted = { $version }
timeline-encrypted-dane = { $version }, the certificate checked by DANE
timeline-encrypted-dane-unusable = { $version }, demanded by DANE, the certificate not checked
timeline-encrypted-doubted = { $version }, which the MTA-STS policy of the domain would refuse if it were not on trial ({ $why })
timeline-wish-required = { $encryption }, as the sender requires (REQUIRETLS)
timeline-wish-waived = { $encryption }; the sender set that no policy keeps it from arriving (TLS-Required: No)
timeline-encrypted-sts = { $version }, the certificate checked as the MTA-STS policy of the domain demands
timeline-encrypted-tested = { $version }, as the MTA-STS policy of the domain, on trial, demands
timeline-handed-in = The message was handed in
timeline-handed-in-by = Over HTTP, by { $who }, from { $address }.
timeline-hello = It said hello as { $name }.
timeline-next = Tried again on { $when }, or sooner.
timeline-other-failed = { $server } was tried as well: { $said }
timeline-other-replied = { $server } was tried as well and answered “{ $said }”
timeline-sent-as = To be sent as the SMTP user “{ $user }”.
timeline-session = From { $address }, { $tls }.
timeline-title = What happened
timeline-disowned = { $domain } says that this report does not come from one of its servers (SPF): it excludes nobody.
timeline-took = Submitting the message took { $took } ms.
timeline-unvouched = No domain vouches for whoever sent this report (SPF: { $spf }, DKIM: { $dkim }).
timeline-vouched-dkim = { $domain } vouches for this report: it is signed (DKIM).
timeline-vouched-spf = { $domain } vouches for this report: it came from one of its servers (SPF).
timeline-vouched-unknown = Whether a domain vouches for this report could not be found out: DNS did not answer.
timeline-user = Logged in as the SMTP user “{ $user }”.

## Connections
connections-address = Address of the client
connections-block-failures = { $count ->
    [one] One login failed from there within a short time.
   *[other] { $number } logins failed from there within a short time.
}
connections-block-pairs = { $count ->
    [one] A wrong combination of username and password was tried from there.
   *[other] { $number } different wrong combinations of username and password were tried from there.
}
connections-blocked = Blocked until { $until }: { $address }
connections-cause = Cause
connections-causes-all = All causes
connections-count = { $count ->
    [one] One row, the last seen first
   *[other] { $number } rows, the last seen first
}
connections-empty = Nothing went wrong
connections-empty-what = When an application fails to log in, is stopped by a limit or comes without encryption, it is shown here with its cause and what to do.
connections-fix = What to do
connections-from = from { $address }
connections-lede = Attempts to connect that did not end in a message, each with its cause and what to do.
connections-lift = Lift the block
connections-liftable = All its failures were aimed at this account, so you may lift it. Correct the password in the application first, or it comes back.
connections-nothing-what = No row fits all the filters.
connections-nothing-yet = None of the newest rows fits all the filters. There are older ones.
connections-others = It also tried usernames that are not of this account, so the operator of the relay alone can lift the block. It ends by itself.
connections-times = { $count ->
    [one] Once.
   *[other] { $number } times.
}
connections-unknown = not known
connections-who = SMTP user and address
trouble-blocked = Address blocked
trouble-clear = No encryption
trouble-limit = Limit reached
trouble-network = Network not allowed
trouble-other = Other trouble
trouble-password = Wrong password
trouble-state = Login switched off
trouble-tls = TLS failed
trouble-username = Unknown username
