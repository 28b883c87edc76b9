# What plans, pricing and contacts say in English. Each message has its twin of the same name under fr/.

## Menu
menu-plans = Plans
menu-pricing = Pricing
menu-requests = Plan requests

## Pricing
plan-ask = Ask for a plan
plan-ask-do = Send the request
plan-ask-what = The operator of the relay answers. A plan with more recipients begins as soon as it is approved, and what was sent in this period still counts. One with fewer begins with the next period.
plan-cancel = Cancellation
plan-cancel-approval = The operator of the relay has to approve it first.
plan-cancel-ask = Cancel the plan…
plan-cancel-back = Until then you can take it back here, and afterwards ask for a plan again.
plan-cancel-do = Ask to cancel
plan-cancel-logins = From that day on your applications cannot log in any more. Mail that was accepted before is still delivered.
plan-cancel-sure = The account shall send nothing any more once its plan has ended
plan-cancel-title = Cancel the plan of this account?
plan-cancel-what = Ends the plan with the period in which the operator of the relay approves it. Until then everything stays as it is.
plan-cancel-when = It then ends with the period in which it is approved; the present one lasts until { $day }.
plan-choose = Choose a plan.
plan-ends = The plan ends on { $day }. From then on applications cannot log in; mail that was accepted before is still delivered.
plan-follows = { $plan } begins on { $day }. Until then everything stays as it is.
plan-keep = Keep the present plan
plan-message = Message to the operator
plan-message-hint = Only if there is something to say.
plan-none = No plan
plan-none-cancelled = The plan of this account was cancelled: its applications cannot log in. Mail that was accepted before is still delivered. An administrator can ask for a plan on the page Pricing.
plan-none-unapproved = No plan was approved for this account yet: its applications cannot log in. An administrator can ask for a plan on the page Pricing.
plan-one = Plan
plan-own-limit = A limit that the operator has set for this account alone.
plan-price = Price
plan-recipients-a-month = { $count ->
    [one] { $number } recipient a month
   *[other] { $number } recipients a month
}
plan-to-come = A change is to come
plan-unlimited = Recipients without limit
plan-wish = the plan { $plan }
plan-wish-cancel = to cancel the plan
plan-yours = Your plan
plans-offered = Plans
plans-offered-none = The operator of the relay offers no plan to choose from.
plans-offered-what = Each recipient of an accepted message counts, delivered or not.
pricing-lede = The plan of this account, and those that can be asked for.
request-approved = The request was approved: { $wish }
request-by = { $who }, { $at }
request-declined = The request was declined: { $wish }
request-open = Waiting for the operator: { $wish }
request-reason = The reason given:
request-withdraw = Withdraw the request

## The operator’s plans
plan-accounts = { $count ->
    [0] No account is on it.
    [one] One account is on it, will be, or asks for it.
   *[other] { $number } accounts are on it, will be, or ask for it.
}
plan-add = Add a plan
plan-add-do = Add the plan
plan-bring-back = Bring it back
plan-default = Default plan
plan-default-do = Make it the default
plan-default-what = Accounts that you make begin on the default plan. Those that are there stay on theirs.
plan-delete = Delete the plan
plan-delete-sure = It is no longer needed
plan-delete-title = Delete the plan { $name }?
plan-fr-hint = Empty: as in English.
plan-is-default = Default
plan-is-hidden = Not offered
plan-is-offered = Offered
plan-is-retired = Retired
plan-name = Name in English
plan-name-fr = Name in French
plan-no-number = Recipients and place have to be whole numbers. Nothing was changed.
plan-offer = Offer it to accounts
plan-offer-hint = They see it under Pricing and can ask for it.
plan-place = Place in lists
plan-place-hint = The lowest number comes first.
plan-price-en = Price in English
plan-price-fr = Price in French
plan-price-hint = In your words, such as “$20 a month”. Empty: nothing is said of it.
plan-recipients-hint = Empty: without limit.
plan-retire = Retire
plan-retirement = Retire the plan
plan-retirement-what = No account comes to a retired plan any more; those that are on it stay. A plan that no account needs can be deleted.
plan-terms = What it offers
plan-terms-what = A change holds at once, for the accounts that are on it too.
plans-lede = How many recipients a month accounts may send to. Each account is on one plan, or cannot send.

## Requests
health-requests = { $count ->
    [one] One account waits for your answer about its plan
   *[other] { $number } accounts wait for your answer about their plans
}
request-approve = Approve
request-decline = Decline
request-decline-why = Reason, where you decline; shown to the account
request-has = Has now
request-now = { $plan }, { $recipients }
request-wish = Asks for
requests-lede = Approved, more recipients come at once, and what was sent in the period still counts. Fewer, and a cancellation, come with the account’s next period.
requests-none = No request waits
requests-waiting = { $count ->
    [one] One request waits
   *[other] { $number } requests wait
}

## The plan of an account
account-without-plan = Without a plan
account-without-plan-hint = It cannot send until it has asked for a plan and you have approved it. Otherwise it begins on the default plan.
plan-account = Plan of the account
plan-account-what = What you choose here holds at once. A limit of its own gives way to the new plan. Without a plan its logins are refused; mail that was accepted before is still delivered.
plan-give = Give this plan

## Contacts
contact-billing = Billing contact
contact-email = Email address
contact-name = Name
contact-primary = Primary contact
contacts = Contacts
contacts-what = Beside the administrators, they get the mails about plan and quota, in the language of the account. They need not be members. Leave both fields empty where there is none.
contacts-wrong = Give a name of 1 to 100 characters and an address for each contact, or leave both empty. Nothing was changed.
