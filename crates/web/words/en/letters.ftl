# What the relay writes to people in English. Each message has its twin of the same name below fr/.

letter-forgotten = Somebody, probably you, has asked for a new password for the console.
letter-forgotten-subject = A new password for the console of Envoi
letter-given = An administrator of { $place } has made a link for you, by which you choose a new password for the console.
letter-greeting = Hello { $name },
letter-invitation = You were added to { $place } in the console of Envoi, which shows what became of every message that is sent. Choose a password to come in.
letter-invitation-subject = Your access to { $place }
letter-link =
    Open this link. It works once, until { $until } (UTC):

    { $url }
letter-signature =
    --{" "}
    Envoi
letter-unexpected = If you did not expect this, do nothing: without the link nothing changes.
