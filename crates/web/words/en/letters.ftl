# What the relay writes to people in English. Each message has its twin of the same name below fr/.

letter-blocklist-account = Receivers that use this list may refuse mail from the domain, or take it for spam. Activity shows what was refused and why; the page Health of the domain shows what lists say now. Stop what caused it first, then ask the keeper of the list to take the entry out.
letter-blocklist-gone =
    The blocklist { $list } no longer contains:

    { $gone }
letter-blocklist-gone-subject = { $place }: no longer on the blocklist { $list }
letter-blocklist-listed =
    The blocklist { $list } now contains:

    { $names }
letter-blocklist-operator = Receivers that use this list may refuse mail, or take it for spam. Find what caused it (Activity, and the bounces of each account), stop that, then ask the keeper of the list to take the entry out. There is one mail a day about a list at the most; the log has every change, the metrics the present state.
letter-blocklist-subject = { $place }: on the blocklist { $list }
letter-certificate = The certificate for { $names } on { $host } ends on { $ends } (UTC). After that no application that checks certificates connects any more.
letter-certificate-ended = No application that checks certificates connects to { $host } any more: the certificate for { $names } is over, or none has come yet and one that nobody trusts stands in until { $ends } (UTC).
letter-certificate-ended-subject = { $host }: applications refuse the certificate
letter-certificate-fault = The relay orders a new one by itself, but the last order failed: { $fault }. It goes on trying; the console shows how, under Certificates.
letter-certificate-renew = Renew it: a new file in its place is taken up within seconds. The console shows the file, under Certificates.
letter-certificate-subject = { $host }: the certificate ends soon
letter-forgotten = Somebody, probably you, has asked for a new password for the console.
letter-forgotten-subject = A new password for the console of Envoi
letter-given = An administrator of { $place } has made a link for you, by which you choose a new password for the console.
letter-greeting = Hello { $name },
letter-invitation = You were added to { $place } in the console of Envoi, which shows what became of every message that is sent. Choose a password to come in.
letter-invitation-subject = Your access to { $place }
letter-link =
    Open this link. It works once, until { $until } ({ $zone }):

    { $url }
letter-signature =
    --{" "}
    Envoi
letter-unexpected = If you did not expect this, do nothing: without the link nothing changes.
letter-quota = { $account } has sent to { $used } of the { $quota } recipients of this period.
letter-quota-full = Further recipients are refused with "452 4.7.1" until { $day } ({ $zone }), when the next period begins. Applications that try again later deliver then. If you need more before, ask for another plan on the page Pricing.
letter-quota-full-subject = { $account }: the quota is used up
letter-quota-near = When all of them are used, further recipients are refused until { $day } ({ $zone }), when the next period begins. If that will not be enough, ask for another plan on the page Pricing.
letter-quota-subject = { $account }: { $percent } of the quota is used
letter-test = this is the test email that you asked for. It was sent from { $domain } as the SMTP user “{ $user }”, by the way that the mail of your applications takes.
letter-test-seen = That you read it means that the way is open. If it was among the spam, look at the records of the domain in the console.
letter-test-subject = A test email from { $domain }
letter-plan-answer-here =
    Answer it here:

    { $url }
letter-plan-approved = The operator of the relay has approved the plan { $plan } for { $account }. It is in force from now on. What was sent in this period still counts.
letter-plan-approved-later = The operator of the relay has approved the plan { $plan } for { $account }. It begins on { $day } ({ $zone }), with the next period. Until then everything stays as it is.
letter-plan-approved-subject = { $account }: the plan { $plan } is approved
letter-plan-asked = { $who } asks for the plan { $plan } for { $account }.
letter-plan-asked-subject = { $account } asks for the plan { $plan }
letter-plan-cancel-approved = The operator of the relay has approved the cancellation of the plan of { $account }. It ends on { $day } ({ $zone }): from that day on applications can no longer log in. Mail that was accepted before is still delivered.
letter-plan-cancel-approved-subject = { $account }: the cancellation is approved
letter-plan-cancel-asked = { $who } asks to cancel the plan of { $account }.
letter-plan-cancel-asked-subject = { $account } asks to cancel its plan
letter-plan-cancel-declined = The operator of the relay has declined to cancel the plan of { $account }. Everything stays as it is.
letter-plan-cancel-declined-subject = { $account }: the cancellation is declined
letter-plan-declined = The operator of the relay has declined the plan { $plan } for { $account }. Everything stays as it is.
letter-plan-declined-subject = { $account }: the plan { $plan } is declined
letter-plan-message =
    The message:

    { $message }
letter-plan-page =
    Plan and quota:

    { $url }
letter-brake-account = The automatic brake went on for the whole account { $account } (reference { $reference }).
letter-brake-release = Look at what was sent. If that was not you, reset the password of the SMTP user first. Then release the brake here: { $url }
letter-brake-release-operator = Look at what was sent. If that was not you, the password has to be reset first. The operator of the relay releases the brake.
letter-brake-subject = { $account }: the automatic brake is on
letter-brake-then = New mail is answered “450 4.7.1” until then; applications with a queue try again by themselves. What waits in the queue is held: it does not expire, and nothing is lost.
letter-brake-user = The automatic brake went on for the SMTP user “{ $user }” of { $account } (reference { $reference }).
letter-plan-reason =
    The reason:

    { $reason }
