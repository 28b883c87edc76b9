# What the pages of webhooks say in English. Each message has its twin below fr/.

webhook-answer = Answer
webhook-answer-what = What the receiver said, its beginning.
webhook-attempts = { $count ->
    [0] not tried yet
    [one] { $number } attempt
   *[other] { $number } attempts
}
webhook-body = What is sent
webhook-body-kind = JSON, laid out
webhook-both-sign = For 24 hours calls carry two signatures, one by each secret: put the new one in place at the receiver in that time.
webhook-call-again = To be retried
webhook-call-delivered = Delivered
webhook-call-failed = Given up
webhook-call-waiting = Waiting
webhook-delete = Delete the webhook
webhook-delete-sure = The receiver needs no more events
webhook-delete-then = Nothing is sent to it from this instant, and its log goes.
webhook-delete-title = Delete the webhook “{ $name }”?
webhook-disable = Switch off
webhook-dropped = { $count ->
    [one] { $number } event was not kept, last on { $at }: so many calls waited for this receiver already.
   *[other] { $number } events were not kept, last on { $at }: so many calls waited for this receiver already.
}
webhook-due = Next attempt
webhook-enable = Switch on
webhook-event = Event
webhook-event-blocklist-delisted = A domain is no longer on a blocklist
webhook-event-blocklist-listed = A domain is on a blocklist
webhook-event-brake-on = The automatic brake went on
webhook-event-brake-released = The automatic brake was released
webhook-event-test = Test
webhook-events = Told of
webhook-fault = Why not
webhook-fault-answered = The receiver answered { $status }, which is no acceptance.
webhook-fault-gone = The receiver answered 410 Gone: it wants no more calls.
webhook-fault-redirected = The receiver answered with a redirection, which is not followed: give the final URL.
webhook-fault-unanswered = No answer came.
webhook-gone-what = Its receiver answered 410 Gone, which means that it wants no more calls. Switch it on again if that was a mistake: what has waited for less than 24 hours is then sent.
webhook-happened = Happened
webhook-is-disabled = Switched off
webhook-is-enabled = Switched on
webhook-is-gone = Gone
webhook-last = Last attempt
webhook-log = Calls
webhook-log-none = Nothing was sent yet. “Send a test” sends something at once.
webhook-log-what = What is not taken is sent again for 24 hours, at growing intervals. Calls are kept for 30 days at the most.
webhook-made = The webhook “{ $name }” is made
webhook-make = Make a webhook
webhook-next = again on { $at }
webhook-no-event = A webhook that is told of nothing is of no use: tick at least one event.
webhook-once = Its secret is shown once.
webhook-replay = Send again
webhook-replay-failed = Send them again
webhook-replay-since = Calls that were given up, of the last
webhook-rotate = Make a new secret
webhook-rotate-ask = New secret…
webhook-rotate-sure = I can put the new secret in place at the receiver within 24 hours
webhook-rotate-then = A new secret is made and shown once. The one in use signs beside it for 24 hours.
webhook-rotate-title = Make a new secret for “{ $name }”?
webhook-rotate-twice = The secret before the last rotation stops signing at once.
webhook-rotated = “{ $name }” has a new secret
webhook-rotated-at = Replaced on { $at }: the one before signs beside it for 24 hours from then.
webhook-secret = Secret
webhook-secret-one = Every call is signed with it.
webhook-secret-what = Copy it now: it is never shown again.
webhook-settings = Settings
webhook-span-day = 24 hours
webhook-span-hour = hour
webhook-span-month = 30 days
webhook-span-week = 7 days
webhook-status = Status
webhook-test = Send a test
webhook-took = { $time } ms
webhook-url = URL
webhook-url-hint = Begins with https:// and can be reached from the internet.
webhook-verify = The receiver checks with it that a call comes from here and was not changed: calls are signed as Standard Webhooks says, for which there are libraries in most languages.
webhook-waiting = Waiting calls
webhooks-lede = URLs that are told at once, by HTTP, what becomes of recipients.
webhooks-none = No webhook yet
webhooks-none-what = With one, your application hears of each delivery and each bounce without asking.
