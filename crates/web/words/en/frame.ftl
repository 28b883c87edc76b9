# What frame, entrance and profile say in English. Each message has its twin of the same name below fr/.

## Everywhere
actions = Actions
cancel = Cancel
copied = Copied
copy = Copy
email = Email
from = From
go-on = Continue
language = Language
last-seen = Last used
other-language = Français
password = Password
password-again = Your password, once more
password-before = Password until now
password-change = Change the password
password-guessable = This password is easily guessed. A few words that only you would put together make a good one.
password-hint = At least { $number } characters. A few words that only you would put together are better than one word with signs.
password-long = This password is longer than 256 octets.
password-new = New password
password-short = This password is shorter than { $number } characters.
password-show = Show the password
save = Save
since = Since
skip = Skip to content
times-in = Times in { $zone }
your-name = Your name

## Menu
menu = Menu
menu-account = Account settings
menu-accounts = Accounts
menu-activity = Activity
menu-audit = Audit log
menu-blocks = Blocks
menu-brakes = Brakes
menu-certificates = Certificates
menu-connections = Connections
menu-dashboard = Dashboard
menu-domains = Domains
menu-keys = API keys
menu-limits = Limits
menu-main = Main
menu-members = Members
menu-overview = Overview
menu-part-account = Account
menu-part-relay = Relay
menu-part-sending = Sending
menu-people = Operators
menu-profile = Your profile
menu-queue = Queue
menu-settings = Connection settings
menu-sign-out = Sign out
menu-suppressions = Suppressions
menu-webhooks = Webhooks
menu-zone = DNS zone
menu-you = You
place-relay = Operator of the relay

## Above every page
acting = You look at { $account } in its place. Its audit log shows what you do here.
acting-leave = Leave this account
quota = Quota
quota-renews = { $percent } used, renews on { $day }
quota-used = { $count ->
    [one] { $used } of { $number } recipient in this period
   *[other] { $used } of { $number } recipients in this period
}
suspended = This account is suspended: its applications cannot log in, its queue is held, and nothing can be changed. Please contact the operator of the relay.

## Entrance
choose-do = Save and sign in
choose-title = Choose a password
choose-what = For { $email }.
claim = Every message, accounted for.
claim-more = One relay for your website, your CRM and the printer down the hall. You see what became of each recipient, and why.
code = Code
code-title = Enter your code
code-what = Open your authenticator application and type the 6 digits that it shows for Envoi.
entrance-link-void = This link was used already, was replaced by a newer one, or is too old. Ask whoever sent it for another.
entrance-too-many = { $count ->
    [one] Too many sign-ins have failed. Try again in a minute.
   *[other] Too many sign-ins have failed. Try again in { $number } minutes.
}
entrance-wrong = That does not match. Check each letter; capital letters matter in the password.
first-do = Start
first-title = Welcome to Envoi
first-what = You are the first operator of { $host }. Choose what you sign in with.
forgotten = I forgot my password
forgotten-what = An administrator of your account can make a new link for you, under Members. If you are the only one, ask the operator of the relay.
link-void = This link no longer works
recovery-code = Recovery code
recovery-do = Use this code
recovery-hint = One of the ten codes that you kept when you turned one-time codes on. Each works once.
recovery-use = Use a recovery code instead
sign-in = Sign in
sign-in-do = Sign in
sign-in-else = Sign in as someone else
sign-in-people = This is the console for people. Your application logs in with an SMTP username and password instead.
sign-in-where = To the console of { $host }.

## Profile
browser = Browser
browser-end = End
browser-this = this one
browsers-title = Where you are signed in
browsers-what = End what you do not know, then change your password.
codes-are-off = Off. With them, a stolen password alone opens nothing.
codes-are-on = On: you are asked for a code of your device when you sign in.
codes-confirm = The code that your device shows now
codes-scan = Scan this with your authenticator application
codes-scan-what = Any application for one-time codes (TOTP) does. Where it has no camera, type the key.
codes-seed = Key
codes-square = Square code with the key
codes-title = One-time codes
codes-turn-off = Turn one-time codes off
codes-turn-on = Turn one-time codes on
codes-why = After your password you will be asked for a code that your device makes anew every 30 seconds.
profile-lede = You sign in with { $email }.
profile-password-what = Every other browser is signed out when you change it.
profile-recovery-left = { $count ->
    [one] One recovery code is left.
   *[other] { $number } recovery codes are left.
}
profile-you = You
recovery-codes = Recovery codes
recovery-kept = I have kept them
recovery-once = They are shown this once. Each works once, in place of a code of your device.
recovery-title = Keep your recovery codes
recovery-what = One-time codes are on. If you lose your device, these codes let you in.
sign-ins-further = further places
sign-ins-last = Last time
sign-ins-none = Nobody has signed in yet, or tried to.
sign-ins-result = Result
sign-ins-result-no-code = Right password, no one-time code
sign-ins-result-signed-in = Signed in
sign-ins-result-wrong-code = Right password, wrong one-time code
sign-ins-result-wrong-password = Wrong password
sign-ins-times = { $count ->
    [one] once since { $since }
   *[other] { $number } times since { $since }
}
sign-ins-title = Recent sign-ins
sign-ins-what = Where sign-ins with your address came from, and which failed. Where the password was right and it was not you, change it.
sign-ins-what-member = Where their sign-ins came from, and which failed. Where the password was right and it was not them, they should change it.

## Failures
failure-conflict = That contradicts what is there
failure-conflict-what = Nothing was changed.
failure-forbidden = This is not yours to see or do
failure-forbidden-what = An administrator of your account can give you another role.
failure-home = Back to the start
failure-invalid = A value is wrong
failure-invalid-what = Nothing was changed. Go back and mend it.
failure-not-found = There is nothing here
failure-not-found-what = The address is wrong, or what was here is gone.
failure-stale = This form was too old
failure-stale-what = You have signed in anew since it was made. Nothing was done: go back, reload the page, and try again.
failure-too-many = Too many pages at once
failure-too-many-what = Nothing was changed. Try again in a moment.
failure-unavailable = This does not work at the moment
failure-unavailable-what = Nothing was changed. Try again in a moment.
failure-unreadable = This form could not be read
failure-unreadable-what = Nothing was done. Go back, reload the page, and try again.

## A lost password
forgotten-do = Send me a link
forgotten-sent = If a member has this address, a link is on its way. It works for three days.
forgotten-title = A new password
forgotten-where = We send a link to the address that you sign in with.
