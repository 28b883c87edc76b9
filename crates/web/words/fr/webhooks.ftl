# Ce que disent les pages des webhooks en français. Chaque message a son pendant sous en/.

webhook-answer = Réponse
webhook-answer-what = Le début de ce que le destinataire a répondu.
webhook-attempts = { $count ->
    [0] aucune tentative
    [one] { $number } tentative
   *[other] { $number } tentatives
}
webhook-body = Contenu envoyé
webhook-body-kind = JSON mis en forme
webhook-both-sign = Pendant 24 heures, chaque appel porte deux signatures, une par clé : installez la nouvelle chez le destinataire dans ce délai.
webhook-call-again = Sera réessayé
webhook-call-delivered = Remis
webhook-call-failed = Abandonné
webhook-call-waiting = En attente
webhook-delete = Supprimer le webhook
webhook-delete-sure = Le destinataire n’a plus besoin d’événements
webhook-delete-then = Plus rien ne lui est envoyé à partir de cet instant, et son journal disparaît.
webhook-delete-title = Supprimer le webhook « { $name } » ?
webhook-disable = Désactiver
webhook-dropped = { $count ->
    [one] { $number } événement n’a pas été conservé, le dernier le { $at } : trop d’appels attendaient déjà ce destinataire.
   *[other] { $number } événements n’ont pas été conservés, le dernier le { $at } : trop d’appels attendaient déjà ce destinataire.
}
webhook-due = Prochaine tentative
webhook-enable = Activer
webhook-event = Événement
webhook-event-blocklist-delisted = Domaine retiré d’une liste noire
webhook-event-blocklist-listed = Domaine inscrit sur une liste noire
webhook-event-brake-on = Frein automatique activé
webhook-event-brake-released = Frein automatique levé
webhook-event-test = Essai
webhook-events = Événements signalés
webhook-fault = Cause de l’échec
webhook-fault-answered = Le destinataire a répondu { $status } : il n’a pas accepté l’appel.
webhook-fault-gone = Le destinataire a répondu 410 Gone : il ne veut plus d’appels.
webhook-fault-redirected = Le destinataire a répondu par une redirection, qui n’est pas suivie : indiquez l’URL définitive.
webhook-fault-unanswered = Aucune réponse n’est venue.
webhook-gone-what = Son destinataire a répondu 410 Gone : il ne veut plus d’appels. S’il s’agit d’une erreur, réactivez-le : ce qui attend depuis moins de 24 heures sera alors envoyé.
webhook-happened = Survenu
webhook-is-disabled = Désactivé
webhook-is-enabled = Activé
webhook-is-gone = Destinataire disparu
webhook-last = Dernière tentative
webhook-log = Appels
webhook-log-none = Rien n’a encore été envoyé. « Envoyer un essai » déclenche un envoi immédiat.
webhook-log-what = Ce qui n’est pas accepté est renvoyé pendant 24 heures, à intervalles croissants. Les appels sont conservés 30 jours au plus.
webhook-made = Le webhook « { $name } » est créé
webhook-make = Créer un webhook
webhook-next = de nouveau le { $at }
webhook-no-event = Un webhook qui ne signale rien ne sert à rien : cochez au moins un événement.
webhook-once = Sa clé secrète n’est affichée qu’une fois.
webhook-replay = Renvoyer
webhook-replay-failed = Les renvoyer
webhook-replay-since = Appels abandonnés au cours des dernières
webhook-rotate = Créer une nouvelle clé
webhook-rotate-ask = Nouvelle clé…
webhook-rotate-sure = Je peux installer la nouvelle clé chez le destinataire dans les 24 heures
webhook-rotate-then = Une nouvelle clé est créée et affichée une seule fois. La clé actuelle signe encore à ses côtés pendant 24 heures.
webhook-rotate-title = Créer une nouvelle clé pour « { $name } » ?
webhook-rotate-twice = La clé d’avant le dernier remplacement cesse aussitôt de signer.
webhook-rotated = « { $name } » a une nouvelle clé
webhook-rotated-at = Remplacée le { $at } : la précédente signe encore à ses côtés pendant 24 heures.
webhook-secret = Clé secrète
webhook-secret-one = Elle signe chaque appel.
webhook-secret-what = Copiez-la maintenant : elle ne sera plus jamais affichée.
webhook-settings = Réglages
webhook-span-day = 24 heures
webhook-span-hour = 60 minutes
webhook-span-month = 720 heures (30 jours)
webhook-span-week = 168 heures (7 jours)
webhook-status = Code de réponse
webhook-test = Envoyer un essai
webhook-took = en { $time } ms
webhook-url = Adresse (URL)
webhook-url-hint = Commence par https:// et doit être joignable depuis l’internet.
webhook-verify = Elle permet au destinataire de vérifier qu’un appel vient bien d’ici et n’a pas été modifié : les appels sont signés selon Standard Webhooks, pour lequel il existe des bibliothèques dans la plupart des langages.
webhook-waiting = Appels en attente
webhooks-lede = Des adresses informées aussitôt, par HTTP, du sort de chaque destinataire.
webhooks-none = Aucun webhook pour l’instant
webhooks-none-what = Avec un webhook, votre application apprend chaque remise et chaque rejet sans avoir à le demander.
