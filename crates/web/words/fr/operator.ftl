# Ce que disent les pages de l’exploitant en français. Chaque message a son jumeau du même nom sous en/.

## Vue d’ensemble
checks = Ce sur quoi repose le relais
checks-again = Vérifier de nouveau
checks-all-well = { $count ->
    [one] La seule vérification est réussie.
   *[other] Les { $number } vérifications sont réussies.
}
checks-left = { $count ->
    [one] Il reste une chose à faire.
   *[other] Il reste { $number } choses à faire.
}
checks-look = Vérifier maintenant
checks-what = Ports, certificat, horloge, disque, DNS, nom du relais et sortie vers Internet. La vérification prend quelques secondes.
domains-by-state = Domaines selon leur état
health = État de santé
health-activity-stopped = L’activité n’est plus mise à jour. Le courrier circule toujours ; vérifiez le disque, puis redémarrez le relais.
health-blocks = { $count ->
    [one] Une adresse est bloquée après des échecs de connexion
   *[other] { $number } adresses sont bloquées après des échecs de connexion
}
health-crowd = { $address } porte { $count } des { $all } connexions. S’il s’agit d’un répartiteur de charge ou d’une passerelle, nommez-la dans proxy_networks ou shared_networks : une seule erreur pourrait y bloquer tout le monde.
health-damage = Quelque chose a été trouvé endommagé sur le disque. Le reste continue : vérifiez le disque, arrêtez le relais, puis laissez envoi doctor --repair indiquer ce qui peut être fait.
health-full = Il n’y a plus de place pour de nouveaux messages : la réponse est 452 jusqu’à ce qu’il y en ait. Libérez de l’espace sur le disque ou augmentez spool_max.
health-lag = L’activité a { $megabytes } Mo de retard : le disque est trop lent ou occupé à autre chose.
health-latched = L’entrepôt s’est arrêté après un échec d’écriture : rien n’est accepté ni livré. Vérifiez le disque, puis redémarrez le relais.
health-well = Le relais accepte et livre le courrier
listens-at = À l’écoute sur
overview-lede = { $host }, Envoi { $version }, en marche depuis { $period }.
overview-new = Personne ne peut encore envoyer : les premières étapes mènent d’ici au premier message.
period-days = { $count ->
    [one] { $number } jour
   *[other] { $number } jours
}
period-hours = { $count ->
    [one] { $number } heure
   *[other] { $number } heures
}
period-minutes = { $count ->
    [one] { $number } minute
   *[other] { $number } minutes
}
tile-blocks = adresses qui ne peuvent pas se connecter
tile-busiest = dont { $count } depuis { $address }
tile-connections = Connexions ouvertes
tile-of = sur un maximum de { $number }
tile-recipients = { $count ->
    [one] pour { $number } destinataire
   *[other] pour { $number } destinataires
}
tile-sending = { $count ->
    [one] dont { $number } peut envoyer
   *[other] dont { $number } peuvent envoyer
}
tile-suspended = { $count ->
    [one] dont { $number } suspendu
   *[other] dont { $number } suspendus
}

## Premières étapes
steps-done = Tout est en place : les applications peuvent envoyer.
steps-lede = De l’installation de { $host } au premier message : ce sur quoi repose le relais, puis qui peut s’en servir pour envoyer.
steps-next = C’est dans un compte que s’envoie un premier courriel et que se créent d’autres utilisateurs SMTP.
steps-user = Ajouter un utilisateur SMTP
steps-then = Ensuite, qui peut envoyer
steps-then-what = Vous pouvez le faire pendant que les vérifications ci-dessus sont encore en suspens : le courrier les attendra.
steps-title = Premières étapes
step-account = Le premier compte
step-account-do = Créer un compte
step-account-what = Un compte représente une organisation qui envoie : il a ses propres membres, domaines et utilisateurs SMTP. Créez-en un pour vous-même aussi.
step-domain = Le premier domaine
step-domain-do = Vers les comptes
step-domain-what = Dans le compte, sous Domaines : ajoutez le domaine dont provient le courrier, publiez ses enregistrements et faites-les vérifier. Pour un essai, ou sans accès à son DNS, cautionnez-le plutôt à la page du compte : il peut envoyer aussitôt.
step-is-done = Fait
step-user = Le premier utilisateur SMTP
step-user-do = Choisir un compte
step-user-what = Dans le domaine : créez un utilisateur SMTP. Ses cinq réglages vont dans l’application, et le premier message peut partir ; la page du domaine envoie aussi un courriel d’essai.
what-to-do = Que faire :
check-fail = Échec
check-ok = Réussi
check-warn = À surveiller
check-name-activity = Activité
check-advice-activity = Vérifiez le disque, puis redémarrez le relais. Le courrier circule entre-temps.
check-name-addresses = Provenance des connexions
check-advice-addresses = Indiquez dans la configuration si cette adresse en représente plusieurs.
check-name-blocks = Adresses bloquées
check-advice-blocks = Consultez les blocages : chacun indique sa cause et sa fin.
check-name-certificate = Certificat
check-advice-certificate = Renouvelez-le : sans certificat valide, aucune application ne peut se connecter.
check-name-clock = Horloge
check-advice-clock = Réglez l’horloge : TLS, les signatures et toutes les heures affichées en dépendent.
check-name-configuration = Configuration
check-advice-configuration = Corrigez le fichier de configuration, puis redémarrez le relais.
check-name-disk = Espace disque
check-advice-disk = Libérez de l’espace avant que de nouveaux messages doivent être refusés.
check-name-dns = Résolution de noms
check-advice-dns = Donnez au relais l’accès à un serveur de noms : sans lui, aucun courrier ne trouve son chemin.
check-name-dnssec = Réponses signées (DNSSEC)
check-advice-dnssec = Donnez au relais un serveur de noms qui transmet les signatures DNSSEC : sans elles, le courrier part sans DANE.
check-name-hostname = Nom et adresse
check-advice-hostname = Donnez au relais son propre nom, avec un enregistrement d’adresse qui mène ici.
check-name-next-hop = Serveur suivant
check-advice-next-hop = Assurez-vous que le serveur qui prend le relais est en marche et joignable.
check-name-port = Port { $port } du relais
check-advice-port = Consultez le journal du relais et les pare-feu éventuels.
check-name-relay = Le relais
check-advice-relay = Démarrez le relais.
check-name-reverse-name = Nom inverse (PTR)
check-advice-reverse-name = Dans le panneau de votre hébergeur, donnez à l’adresse le nom du relais comme nom inverse (PTR).
check-name-spf = SPF du nom du relais
check-advice-spf = Publiez l’enregistrement TXT ci-dessous : les avis de non-livraison sont vérifiés d’après lui.
check-name-store = Entrepôt des messages
check-advice-store = Vérifiez le disque ; la vue d’ensemble en dit plus.
check-name-way-out = Port 25, vers l’extérieur
check-advice-way-out = Demandez à votre fournisseur d’ouvrir le port 25 vers l’extérieur, ou passez par un autre serveur au moyen d’une route.
check-name-zone = La zone
check-advice-zone = Publiez l’enregistrement NS au-dessus de la zone, et rendez ses serveurs de noms joignables.

## Comptes
person-of-operator = { $name } (exploitant)
account-by-number = Numéro du compte
account-delete-which = Le courrier en attente
account-delete = Suppression du compte
account-delete-ask = Supprimer…
account-delete-cancel = Abandonner tout le courrier en attente
account-delete-deliver = Livrer pendant 24 heures ce qui attend ; le reste est ensuite retourné
account-delete-do = Supprimer définitivement
account-delete-final = C’est irréversible, et son numéro ne sera jamais réattribué. Le journal d’audit demeure.
account-delete-held = Le courrier retenu est abandonné dans tous les cas.
account-delete-purged = Son activité, ses appels aux webhooks et ses exclusions sont effacés en arrière-plan ; ses domaines et leurs clés, quand la file d’attente est vide.
account-delete-stops = Ses utilisateurs SMTP, ses membres, ses clés d’API et ses webhooks s’arrêtent à l’instant ; les connexions ouvertes sont fermées.
account-delete-title = Supprimer { $name } ?
account-delete-type = Tapez { $name } pour confirmer
account-delete-typed-else = Ce que vous avez tapé n’est pas { $name }. Rien n’a été supprimé.
account-delete-what = Emporte définitivement ses membres, ses domaines, ses utilisateurs SMTP et son activité.
account-enter = Consulter à sa place
account-is-active = Actif
account-is-suspended = Suspendu
account-language-hint = Celle de ce que le relais lui écrit.
account-lede = Compte { $number }, créé le { $made }.
account-make = Créer un compte
account-make-what = Son premier administrateur s’ajoute ensuite, sous Membres.
account-name-hint = Le nom de l’organisation. Deux comptes ne peuvent pas porter le même.
account-no-domain = Ce compte n’a encore aucun domaine.
account-number = Nᵒ { $number }
account-one = Compte
account-open = Ouvrir
account-quota = Quota de la période
account-quota-no-number = Le nombre de destinataires et le jour doivent être des nombres entiers. Rien n’a été modifié.
account-quota-what = Une limite propre au compte remplace celle de son forfait, jusqu’à ce qu’un autre forfait commence. Ce qui a été utilisé le reste.
account-recipients = Destinataires par mois
account-recipients-hint = Vide : comme le forfait.
account-renews = Renouvellement
account-renews-hint = De 1 à 31 ; dans un mois plus court, son dernier jour. La période commence à minuit, dans le fuseau horaire du compte.
account-renews-on = Jour du renouvellement
account-resume = Rétablir
account-suspend = Suspendre le compte
account-suspend-ask = Suspendre…
account-suspend-logins = Ses applications sont refusées dès cet instant et les connexions ouvertes sont fermées.
account-suspend-members = Ses membres peuvent encore se connecter et consulter, mais ne modifient rien.
account-suspend-queue = Ce qui attend dans sa file est retenu jusqu’au rétablissement.
account-suspend-sure = Il ne doit rien envoyer tant que je ne le rétablis pas
account-suspend-title = Suspendre { $name } ?
account-suspended-now = Ses connexions sont refusées, sa file d’attente est retenue et ses membres ne font que consulter.
account-suspension = Suspension du compte
account-suspension-what = Arrête ses envois immédiatement ; le compte peut être rétabli en tout temps.
account-unlimited = Sans limite
account-used = Utilisé pour cette période
account-zone = Fuseau horaire
accounts-lede = Chaque organisation qui envoie par ce relais.
accounts-none = Aucun compte pour l’instant
accounts-none-what = Créez le premier ci-dessous ; ses domaines et ses utilisateurs SMTP suivront.
accounts-nothing-found = Aucun compte ne correspond. Cherchez une partie de son nom, son numéro ou l’un de ses domaines.
accounts-search = Nom, numéro ou domaine
domain = Domaine
domain-is-failed = En échec
domain-is-pending = En attente
domain-is-validated = Validé
domain-is-vouched = Cautionné
domain-is-warning = Avertissement
vouch = Cautionner
vouch-end = Retirer la caution
vouch-what = Votre caution tient lieu des enregistrements DNS d’un domaine : son courrier est accepté aussitôt, et signé dès que sa clé est publiée. Elle est durable, visible dans le compte et consignée au journal d’audit.

## File d’attente
held-account-suspended = Le compte est suspendu
held-brake = Par le frein automatique
held-damaged = Endommagé sur le disque
held-domain-invalid = Le domaine a perdu sa validation
held-operator = Retenu par l’exploitant
octets = { $number } octets
site-open = Ouvert
site-paused = En pause
site-probing = À l’essai
site-slowed = Ralenti
site-suspended = Suspendu
site-unreached = Injoignable
source-good = Utilisée
source-set-aside = Mise de côté
source-tried = À l’essai
sources-blocked = Bloquée par
sources-blocked-until = { $site } (jusqu’au { $moment })
sources-connections = Connexions
sources-lede = Les adresses d’où part le courriel. Une source dont rien ne passe est mise de côté, puis essayée de nouveau d’elle-même ; un site qui en bloque une reçoit son courriel des autres sources du groupe.
sources-messages = Messages depuis le démarrage
sources-more = { $count ->
    [one] { $sites } et un autre
   *[other] { $sites } et { $count } autres
}
sources-none = Aucune source nommée
sources-none-what = Le courriel part de l’adresse que choisit le système. Les sources et leurs groupes se nomment dans la configuration.
sources-pool = { $pool } (poids { $weight })
sources-pool-account = compte { $number }
sources-pool-first = tout autre courriel
sources-pool-plan = forfait { $number }
sources-pool-whose = pour { $whose }
sources-pools = Groupes
sources-source = Source
sources-title = Sources
sources-warm-up = Montée en charge
sources-warm-up-blocked = { $provider } l’a bloquée aujourd’hui
sources-warm-up-climbing = { $provider } : { $today } messages sur { $allowed } aujourd’hui, palier { $rung } sur { $rungs }
sources-warm-up-full = { $provider } : { $today } messages sur { $allowed } aujourd’hui, palier { $rung } sur { $rungs } ; reprise à 0 h UTC
sources-warm-up-none = Aucun message pour l’instant
sources-warm-up-others = petits fournisseurs
sources-warm-up-start = Reprendre la montée en charge à zéro
sources-warm-up-stop = Arrêter la montée en charge
sources-warm-up-stopped = Arrêtée
sources-warm-up-warm = { $provider } : terminée
sites-all = Tout afficher
sites-blocked-until = { $source } (jusqu’au { $moment })
sites-blocks = bloque { $sources }
sites-connection = sur chacune { $messages } messages au plus, { $recipients } destinataires par transaction, { $seconds } s d’attente
sites-connections = Connexions, sur celles permises
sites-lede = Les serveurs auxquels part le courriel ; les domaines qui ont les mêmes sont réunis. Ce qu’un site a dit de ce relais, et ce qui s’ensuit : moins de connexions, moins de messages par minute, ou une pause, jusqu’à ce qu’il prenne le courriel sans se plaindre.
sites-more = { $count ->
    [one] { $domains } et un autre
   *[other] { $domains } et { $count } autres
}
sites-none = Aucun site de ce genre
sites-none-what = Aucun courriel n’attend ni n’est parti récemment, ou rien n’est en vigueur nulle part.
sites-pace = { $number } messages par minute au plus
sites-resume = Essayer maintenant
sites-site = Site
sites-title = Sites
sites-troubled = N’afficher que ceux en difficulté
sites-until = jusqu’au { $moment }
sites-waiting = Destinataires en attente
sites-why = Pourquoi
unknown-count = Fois
unknown-domain = Vue en dernier chez
unknown-first = Première fois
unknown-last = Dernière fois
unknown-lede = Ce que d’autres serveurs ont dit et qu’aucune règle ne connaît, depuis le démarrage du relais. Les adresses, nombres, noms et identifiants en sont ôtés, pour que ce qui se ressemble soit réuni. Un tel échec n’exclut personne ; une règle à vous ([bounces] dans la configuration) lui donne une classe.
unknown-none = Toutes les réponses sont connues
unknown-none-what = Depuis le démarrage du relais, une règle a reconnu tous les refus des autres serveurs.
unknown-reply = Réponse
unknown-title = Réponses inconnues
queue-accepted = Accepté
queue-all-held-by-you = Cela vise tous les destinataires que l’exploitant retient, par exemple après une restauration, mais ni ceux des comptes suspendus, ni les autres destinataires des mêmes messages.
queue-attempts = Tentatives
queue-cancel = L’abandonner
queue-cancel-all = Tout abandonner
queue-cancel-all-ask = Abandonner tout ce qui est retenu…
queue-cancel-all-sure = Aucun de ces messages ne doit être livré
queue-cancel-all-title = Abandonner tous les messages retenus ?
queue-cancel-ask = Abandonner…
queue-cancel-of = « { $subject } » de { $sender }
queue-cancel-sure = Il ne doit pas être livré
queue-cancel-then = Les destinataires non encore joints deviennent des rebonds permanents à votre nom, et l’expéditeur qui le souhaite en est avisé.
queue-cancel-title = Abandonner ce message ?
queue-due = prochain essai le { $moment }
queue-empty = Rien n’attend
queue-empty-what = Tous les messages ont été livrés ou ont rebondi.
queue-hash = SHA-256 du contenu
queue-hold = Retenir
queue-lede = Ce qui a été accepté et n’est pas encore réglé, du plus ancien au plus récent.
queue-message = Le message
queue-message-id = Identifiant Message-ID
queue-no-sender = aucun (avis de non-livraison)
queue-no-subject = Sans objet
queue-open = Afficher le message
queue-order = Ce qu’il faut en faire
queue-order-cancel = L’abandonner
queue-order-cancel-silently = L’abandonner sans avertir les expéditeurs
queue-order-cancel-silently-then = Ces destinataires deviennent des rebonds permanents, à votre nom. Aucun avis de non-livraison n’est envoyé, même demandé. C’est irréversible.
queue-order-cancel-then = Ces destinataires deviennent des rebonds permanents, à votre nom, et les expéditeurs qui le souhaitent sont avertis. C’est irréversible.
queue-order-hold = La retenir
queue-order-hold-then = Ce qui attend est retenu jusqu’à sa libération : aucune tentative, aucune expiration. Une fois libéré, il est tenté au moins une fois, quel que soit son âge.
queue-order-release = Libérer ce que vous en retenez
queue-order-release-then = Ce que vous en retenez est tenté maintenant. Ce qui est retenu à cause d’un compte ou d’un domaine le reste.
queue-order-reroute = L’envoyer par un autre chemin
queue-order-reroute-then = Désormais, même après un redémarrage, elle passe par le serveur suivant indiqué, et ce qui attend y est tenté maintenant.
queue-order-retry = La tenter maintenant
queue-order-retry-then = Ce qui attend est tenté sans délai, aussi vite que les limites de chaque site le permettent.
queue-orders = Agir sur une partie de la file
queue-orders-ask = Une partie…
queue-orders-lede = Indiquez ce que les destinataires ont en commun. Ils sont d’abord comptés ; rien n’est fait avant votre confirmation.
queue-part = Cette partie de la file
queue-part-all = C’était tout.
queue-part-count = Les compter
queue-part-counted = { $count ->
    [one] { $number } destinataire { $of } y attend en ce moment.
   *[other] { $number } destinataires { $of } y attendent en ce moment.
}
queue-part-counted-messages = { $count ->
    [one] de { $number } message
   *[other] de { $number } messages
}
queue-part-do = Exécuter
queue-part-domain = Domaine d’envoi, par nom ou numéro
queue-part-done = { $count ->
    [one] C’est fait pour { $number } destinataire.
   *[other] C’est fait pour { $number } destinataires.
}
queue-part-go-on = Continuer
queue-part-hours = Accepté il y a au moins tant d’heures
queue-part-more = Il en reste : continuez jusqu’à la fin.
queue-part-recipient = Destinataire : une adresse ou @domaine
queue-part-sure = C’est bien ce que je veux
queue-part-to = Pour un autre chemin : le serveur suivant d’une route sous la forme hôte:port, ou mx ; vide : comme le disent les routes
queue-part-under-way = { $count ->
    [one] { $number } est en cours de remise et sera traité si elle est différée.
   *[other] { $number } sont en cours de remise et seront traités si elle est différée.
}
queue-part-user = Utilisateur SMTP, par nom d’utilisateur ou numéro
queue-part-which = Quelle partie
queue-recipients = { $count ->
    [one] un destinataire
   *[other] { $number } destinataires
}
queue-release = Libérer
queue-release-all = Tout libérer
queue-release-all-ask = Libérer tout ce qui est retenu…
queue-release-all-sure = Tous ces messages doivent partir maintenant
queue-release-all-then = Ils sont tentés aussitôt. Ce qui avait été livré avant une restauration le sera de nouveau.
queue-release-all-title = Libérer tous les messages retenus ?
queue-retry = Réessayer maintenant
queue-sender = Expéditeur
queue-size = Taille
queue-to = À
queue-who = Destinataires
recipient-held = Retenu
recipient-settled = Réglé
recipient-waiting = En attente

## Certificats
certificate-by-hand = Par vos soins : un nouveau fichier au même endroit est pris en compte en quelques secondes
certificate-ended = Expiré
certificate-ends = Expire
certificate-ends-soon = Expire bientôt
certificate-failures = { $count ->
    [one] La dernière commande a échoué :
   *[other] Les { $number } dernières commandes ont échoué, la plus récente ainsi :
}
certificate-good = Valable
certificate-left = { $count ->
    [0] aujourd’hui
    [one] il reste { $number } jour
   *[other] il reste { $number } jours
}
certificate-names = Noms
certificate-ordered-at = Automatique ; prochaine commande le { $moment }
certificate-ordering = Automatique ; une commande est en cours
certificate-renew = Commander maintenant
certificate-renewal = Renouvellement
certificate-stands-in = Provisoire
certificate-state = État
certificates-by-hand = Un certificat peut arriver et se renouveler de lui-même, auprès d’une autorité comme Let’s Encrypt : voyez [acme] dans la configuration.
certificates-lede = Ce que le relais présente aux applications et aux navigateurs sous TLS. Ceux qui le vérifient refusent un certificat expiré ou établi à un autre nom.
health-certificate-ended = Le certificat de { $names } a expiré : plus aucune application qui le vérifie ne se connecte.
health-certificate-ends-soon = Le certificat de { $names } expire bientôt.
health-certificate-stands-in = Aucun certificat n’est encore arrivé pour { $names } : le relais présente un certificat provisoire, auquel personne ne fait confiance.

## La zone
zone-file = Télécharger le fichier de zone
zone-lede = Ce que le relais a dans le DNS : les clés et les adresses de retour de tous les domaines, dans une zone à vous, et ce qui y mène.
zone-no-addresses = Indiquez avec `addresses`, sous [zone], les adresses d’où part le courrier, et elles s’afficheront ici. D’ici là, SPF suit les adresses de { $name }.
zone-none = Le relais n’a pas de zone à lui : chaque domaine publie lui-même ses clés. Avec une zone, sous [zone] dans la configuration, les domaines publient des alias qui ne changent jamais, et le relais peut répondre lui-même aux questions DNS.
zone-outside = Hors de la zone
zone-outside-what = À publier à la main, une seule fois ; les PTR se règlent chez l’hébergeur qui vous a attribué l’adresse.
zone-records = Lignes du fichier de zone
zone-served = Le relais fait lui-même autorité sur cette zone, à { $addresses } : rien de ce qui suit n’est à publier.
zone-served-elsewhere = Vos serveurs de noms font autorité sur cette zone : redonnez-leur le fichier après chaque nouveau domaine, ou laissez le relais répondre lui-même, avec `listen` sous [zone].
zone-served-soon = Le relais fera lui-même autorité sur cette zone dès qu’il tournera.

## Blocages et limites
block-address = Adresse
block-aimed = Visait
block-cause = Cause
block-lift = Lever
block-nobody = des noms qui n’existent pas
block-since = Depuis
block-until = Jusqu’à
blocks-lede = Adresses d’où trop de connexions ont échoué. Un blocage prend fin de lui-même ; qui s’était déjà connecté de là n’est pas arrêté.
blocks-none = Aucune adresse n’est bloquée
blocks-none-what = Elle figurerait ici avec la cause et la fin du blocage.
limit = Ce qu’elle limite
limit-changed = modifiée ; par défaut { $number }
limit-default = par défaut
limit-name = Nom dans la configuration
limit-repeat-seconds = Durée pendant laquelle on se souvient d’un message dont le client n’a peut-être jamais lu qu’il était pris : le même une deuxième fois reçoit le premier identifiant. 0 : jamais.
limit-repeats-max = Messages de tous les utilisateurs SMTP dont on se souvient ainsi ; au-delà, ceux des suivants sont oubliés.
limit-unsubscribe-requests-per-minute = Requêtes d’une adresse IP (IPv6 : /64) vers la page de désabonnement, régulièrement, après une rafale d’autant. Les fournisseurs de messagerie y passent pour tous leurs abonnés.
limit-user-repeats-max = Messages d’un utilisateur SMTP dont on se souvient parce qu’ils peuvent revenir : les plus anciens partent.
limit-value = En vigueur
limits-lede = Les mêmes pour tous les comptes. Elles se règlent sous [limits] du fichier de configuration.
limit-site-suspension-seconds-min = La première fois qu’un site est laissé en paix parce qu’il dit bloquer le relais ; chaque fois suivante dure le double.
limit-site-suspension-seconds-max = Le plus long temps pendant lequel un tel site est laissé en paix avant qu’un message essaie s’il reprend le courriel.
limit-site-pause-seconds-min = La première pause d’un site qui trouve le relais trop rapide ; chaque pause suivante dure le double.
limit-site-pause-seconds-max = La plus longue pause d’un tel site.
limit-site-messages-per-minute-min = Le rythme le plus lent auquel un tel site reçoit son courriel.
limit-site-recovery-seconds = Le temps pendant lequel un site doit prendre le courriel sans se plaindre avant d’avoir une connexion de plus, ou un quart de messages par minute en plus.
limit-unknown-replies-max = Formes de réponses qu’aucune règle ne connaît, gardées depuis le démarrage pour l’exploitant : les plus rares s’en vont.
limit-recipients-max = Destinataires d’un message ; chacun au-delà est refusé, les premiers restent acceptés.
limit-message-octets-max = Taille d’un message tel qu’il est envoyé, pièces jointes comprises.
limit-messages-max = Messages sur une même connexion.
limit-user-sessions-max = Sessions simultanées d’un utilisateur SMTP.
limit-account-sessions-max = Sessions simultanées d’un compte.
limit-address-sessions-max = Connexions simultanées depuis une adresse IP (IPv6 : depuis un /64), authentifiées ou non.
limit-address-refusals-per-minute = Connexions refusées d’une adresse IP (IPv6 : /64) qui reçoivent encore une négociation et une réponse ; les plus rapides sont coupées avant.
limit-sessions-max = Connexions simultanées en tout.
limit-login-pairs-max = Paires distinctes et erronées de nom d’utilisateur et de mot de passe depuis une adresse IP (IPv6 : /64) pendant la fenêtre : elle est alors bloquée.
limit-login-failures-max = Échecs de connexion de toute sorte depuis une adresse IP (IPv6 : /64) pendant la fenêtre : elle est alors bloquée.
limit-login-window-seconds = La fenêtre pendant laquelle les échecs de connexion sont comptés ; ce qui a été tenté est ensuite oublié.
limit-block-seconds-min = Le premier blocage d’une adresse ; chacun des suivants dure deux fois plus.
limit-block-seconds-max = Le plus long blocage d’une adresse ; un nouveau blocage dans un délai égal après la fin du précédent compte comme un suivant.
limit-session-failures-max = Échecs de connexion dans une session, qui prend alors fin.
limit-session-errors-max = Erreurs du client dans une session, qui prend alors fin. Les refus selon les règles n’en sont pas.
limit-known-login-days = Durée pendant laquelle une connexion réussie met sa paire d’utilisateur SMTP et d’adresse à l’abri d’un blocage.
limit-user-messages-per-minute = Messages d’un utilisateur SMTP par minute, répartis ; 0 : aucune limite de ce genre.
limit-user-messages-burst = Messages d’un utilisateur SMTP en rafale, avant que la cadence par minute s’applique.
limit-handshake-seconds = Temps dont dispose un client pour la négociation TLS.
limit-proxy-seconds = Temps dont dispose un répartiteur de charge pour envoyer son en-tête PROXY.
limit-shutdown-seconds = Temps laissé aux transactions en cours pour finir quand le serveur s’arrête.
limit-account-domains-max = Domaines d’envoi d’un compte ; un domaine supprimé compte jusqu’à ce que son courrier ait quitté la file.
limit-account-users-max = Utilisateurs SMTP d’un compte.
limit-user-rules-max = Entrées de chaque liste des règles d’un utilisateur SMTP : ses réseaux, ses expéditeurs et ses domaines de destination.
limit-account-suppressions-max = Adresses exclues d’un compte, y compris celles qui sont échues et pas encore retirées : au-delà, aucune n’est plus ajoutée.
limit-suppression-bounce-days = Durée de l’exclusion d’une adresse dont le serveur a dit qu’elle n’existe pas.
limit-suppression-complaint-days = Durée de l’exclusion d’une adresse dont le titulaire a signalé comme indésirable un message du compte.
limit-reason-octets-max = Longueur d’un texte conservé : motif d’une exclusion ou d’une réponse à une demande de forfait, message d’une telle demande.
limit-account-members-max = Membres d’un compte, ou de l’exploitant.
limit-plans-max = Forfaits de l’exploitant, y compris ceux qu’il a retirés.
limit-api-keys-max = Clés d’API d’un compte, ou de l’exploitant.
limit-webhooks-max = Webhooks d’un compte.
limit-webhook-waiting-max = Appels d’un webhook qui attendent son destinataire ; les événements suivants sont seulement comptés.
limit-webhook-log-max = Appels dans le journal d’un webhook, remis ou abandonnés : les plus anciens disparaissent.
limit-webhook-requests-max = Échanges simultanés avec les destinataires des webhooks, au total.
limit-account-webhook-requests-max = Échanges avec les destinataires d’un même compte.
limit-one-webhook-requests-max = Échanges avec un même destinataire ; un seul tant qu’il n’accepte pas ce qui lui est envoyé.
limit-webhook-seconds = Temps laissé au destinataire pour accepter un appel, de la connexion à la fin de sa réponse.
limit-notice-fold-seconds = Les refus du même utilisateur, destinataire et motif pendant ce temps forment une seule ligne avec un nombre.
limit-console-requests-per-minute = Pages et formulaires de la console pour un membre, répartis, après une rafale d’un tiers ; 0 : autant qu’il veut.
limit-api-requests-per-minute = Requêtes à l’API avec une clé, réparties, après une rafale d’un dixième ; 0 : autant qu’elle veut.
limit-sign-in-failures-burst = Échecs de connexion à la console sous un même nom depuis une adresse IP (IPv6 : /64) en rafale ; ensuite un par minute. Dix fois plus, tous noms confondus.
limit-sign-in-member-failures-burst = Échecs de connexion visant un membre, d’où il ne s’est jamais connecté, en rafale ; ensuite un par minute.
limit-sign-in-idle-seconds = Durée d’une connexion à la console sans utilisation.
limit-sign-in-days = Durée maximale d’une connexion à la console.
limit-api-waits-max = Requêtes à l’API qui attendent en même temps un changement.
limit-api-key-waits-max = Requêtes à l’API avec une même clé qui attendent en même temps un changement.
limit-account-idempotency-keys-max = Clés d’idempotence d’un compte, ou de l’exploitant, gardées en mémoire ; chacune l’est 24 heures.
limit-account-idempotency-octets-max = Réponses conservées sous les clés d’idempotence d’un compte, ou de l’exploitant.
limit-idempotency-key-octets-max = Longueur d’une clé d’idempotence.
limit-api-held-octets-max = Messages remis par HTTP et tenus en mémoire en même temps, tels que leurs corps arrivent ; chacun en occupe un instant jusqu’à trois fois plus.
limit-api-key-held-octets-max = Ceux qui sont remis avec une même clé ; aucun corps n’est plus grand.
limit-web-connections-max = Connexions HTTP simultanées : à l’API en tout, et aux mesures et à l’état de santé en tout.
limit-web-address-connections-max = Celles d’une même adresse IP (IPv6 : d’un /64). Depuis cette machine, où un mandataire peut en représenter plusieurs, cette limite n’existe pas.
limit-web-handshake-seconds = Temps dont dispose un client HTTP pour la négociation TLS.
limit-web-head-seconds = Temps dont dispose un client HTTP pour l’en-tête d’une requête, à compter de la réponse précédente : qui ne demande rien est congédié.
limit-web-body-seconds = Temps dont dispose un client HTTP pour le corps d’une requête.
limit-web-body-octets-per-second = Un message remis par HTTP dispose d’une seconde de plus que les autres corps par tranche de ce nombre d’octets.
limit-web-write-seconds = Temps pendant lequel un client HTTP peut ne rien prendre de sa réponse avant d’être congédié.
limit-notices-per-minute-max = Nouvelles lignes de refus par minute pour un utilisateur SMTP (ou, avant l’authentification, une adresse) ; les autres sont comptées dans une seule ligne.
limit-remembered-addresses-max = Adresses avec échecs de connexion retenues à la fois ; au-delà, les plus longtemps silencieuses sont oubliées.
limit-activity-days = Durée de conservation des lignes d’activité et de connexions.
limit-statistics-months = Durée de conservation des compteurs quotidiens, en mois de 31 jours.
limit-dial-seconds = Temps dont dispose un serveur suivant pour prendre notre connexion.
limit-opening-seconds = Temps dont disposent ensemble tous les serveurs suivants d’une tentative de livraison, jusqu’à ce que l’un d’eux soit prêt à recevoir le message.
limit-attempt-seconds = Durée totale d’une tentative de livraison.
limit-mail-hosts-max = Serveurs de courriel d’un domaine consultés pendant une tentative, les préférés d’abord.
limit-mail-addresses-max = Adresses jointes pendant une tentative.
limit-tried-hosts-max = Autres serveurs montrés avec une tentative dans l’activité, avec ce que chacun a dit : ceux qui ont été essayés en plus de celui qui a décidé.
limit-sts-policies-max = Domaines dont la politique (MTA-STS) est conservée ; au-delà, celles qui expirent les premières cèdent la place.
limit-sts-fetch-seconds = Délai accordé à la politique (MTA-STS) d’un domaine pour arriver. Le courrier l’attend quand aucune n’est connue.
limit-sts-fetches-max = Politiques (MTA-STS) demandées en même temps.
limit-tls-report-domains-max = Domaines dont les sessions TLS sont comptées en une journée, pour les rapports qui leur sont envoyés (TLS-RPT) ; celles des suivants ne le sont pas.
limit-tls-report-rows-max = Lignes sur les sessions TLS échouées dans le rapport d’un domaine ; au-delà, seule leur nature est indiquée.
limit-tls-reports-kept-max = Rapports TLS que garde la liste des envois : les plus anciens cèdent la place.
limit-tls-reports-at-once = Rapports TLS envoyés par HTTPS en même temps.
limit-tlsa-records-max = Enregistrements TLSA consultés pour un serveur de courriel (DANE) ; s’il y en a davantage, les premiers comptent.
limit-transaction-recipients-max = Destinataires donnés à un serveur suivant dans une transaction, à moins qu’il n’en demande moins.
limit-conversations-max = Conversations simultanées avec d’autres serveurs, au total.
limit-site-conversations-max = Conversations simultanées avec un même site : les serveurs de courriel que partagent un ou plusieurs domaines, ou le serveur suivant d’une route.
limit-domain-looks-max = Domaines d’envoi dont les enregistrements DNS sont vérifiés en même temps.
limit-account-domain-looks-max = Ceux d’un même compte : ses serveurs de noms lents ne retardent personne d’autre.
limit-brake-bounce-percent = Part des destinataires en rebond permanent dans l’heure à partir de laquelle le frein automatique d’un utilisateur SMTP ou d’un compte s’active ; 0 : jamais pour cette raison.
limit-brake-bounce-recipients-min = Nombre de destinataires réglés dans l’heure à partir duquel cette part compte.
limit-brake-complaint-recipients-min = Nombre de destinataires livrés à partir duquel ce nombre compte.
limit-brake-complaints-per-ten-thousand = Plaintes pour dix mille destinataires livrés, en deux jours de suite de la dernière semaine, à partir desquelles le frein automatique s’active ; 0 : jamais pour cette raison.
limit-brake-volume-factor = Combien de fois le jour le plus chargé de ses sept derniers jours un utilisateur SMTP ou un compte peut envoyer en un jour avant que le frein automatique s’active ; 0 : jamais pour cette raison.
limit-brake-volume-recipients-min = Nombre de destinataires par jour qui n’est un volume soudain pour personne : ce qui est nouveau peut commencer par là.
limit-dkim-rotation-days = Durée pendant laquelle une clé DKIM d’un domaine signe avant que celle de l’autre sélecteur prenne la relève d’elle-même ; 0 : jamais.
limit-zone-queries-per-minute = Questions sur la zone reçues en UDP d’une même adresse IP (IPv6 : /64), à débit régulier, après une rafale d’un vingtième ; au-delà, une sur deux est renvoyée vers TCP, les autres restent sans réponse. 0 : sans limite.
limit-zone-connections-max = Connexions TCP simultanées pour des questions sur la zone.
limit-return-path-days = Durée pendant laquelle les rapports d’autres serveurs sont reçus à l’adresse d’envoi d’un message.
limit-recipient-reports-max = Rapports pris en compte pour un même destinataire ; les suivants ne changent rien.
limit-report-octets-max = Taille d’un rapport d’un autre serveur, tel qu’il est envoyé.
limit-report-connections-max = Connexions simultanées apportant des rapports d’autres serveurs.
limit-report-address-connections-max = Celles d’une même adresse IP (IPv6 : /64).
limit-reports-at-once-max = Rapports dont le contenu est reçu en même temps.
limit-report-address-at-once-max = Ceux d’une même adresse IP (IPv6 : /64) en même temps.
limit-report-content-seconds = Durée maximale de réception du contenu d’un rapport.
limit-report-check-seconds = Temps pendant lequel le DNS est interrogé pour SPF et DKIM d’un rapport ; le rapport est reçu dans tous les cas.
limit-reports-per-minute = Destinataires qu’une même adresse IP peut nommer là où les rapports sont reçus. 0 : autant qu’elle veut.
limit-report-connection-seconds = Durée maximale d’une connexion apportant des rapports.
limit-dmarc-opened-octets-max = Taille d’un rapport DMARC une fois sa pièce jointe décompressée.
limit-dmarc-days = Durée de conservation des rapports DMARC.
limit-dmarc-reports-max = Rapports DMARC conservés pour un domaine et un jour ; les suivants ne sont pas comptés.
limit-dmarc-rows-max = Lignes dans lesquelles les rapports DMARC d’un domaine et d’un jour sont comptés ; ce que d’autres sources ont envoyé est compté ensemble.
limit-dmarc-total-max = Rapports DMARC et lignes conservés en tout : au-delà, les jours les plus anciens disparaissent.
limit-zone-address-connections-max = Celles d’une même adresse IP (IPv6 : /64).
limit-zone-connection-seconds = Durée maximale d’une connexion pour des questions sur la zone.
limit-inbox-messages-max = Messages dans la boîte d’essai d’un compte : les plus anciens disparaissent.
limit-inbox-octets-max = Octets des messages dans la boîte d’essai d’un compte : les plus anciens disparaissent. Un message qui dépasse cette taille à lui seul n’est pas gardé.
limit-inbox-octets-total-max = Octets des messages dans toutes les boîtes d’essai : les plus anciens disparaissent.
limit-inbox-days = Durée pendant laquelle un message reste dans une boîte d’essai.
limit-client-priority-max = Priorité la plus haute qu’une application peut demander par MT-PRIORITY ; 0 : aucune au-dessus de celle de son utilisateur SMTP.
limit-delayed-seconds = Temps après lequel un message accepté est considéré comme retardé : l’expéditeur qui l’a demandé (NOTIFY=DELAY) en est averti une fois.
limit-notification-content-octets-max = Taille jusqu’à laquelle l’avis d’échec rapporte le message entier, lorsque l’expéditeur l’a demandé (RET=FULL) ; au-delà, il n’en rapporte que l’en-tête.
limit-line-messages-max = Messages portés à un serveur suivant sur une même connexion.
limit-line-idle-seconds = Temps pendant lequel une connexion à un serveur suivant peut attendre d’autres messages.
limit-line-age-seconds = Âge qu’une connexion à un serveur suivant peut atteindre avant de ne plus servir.
unit-API-keys = { $count ->
    [one] clé d’API
   *[other] clés d’API
}
unit-SMTP-users = { $count ->
    [one] utilisateur SMTP
   *[other] utilisateurs SMTP
}
unit-addresses = { $count ->
    [one] adresse
   *[other] adresses
}
unit-connections = { $count ->
    [one] connexion
   *[other] connexions
}
unit-conversations = { $count ->
    [one] conversation
   *[other] conversations
}
unit-days = { $count ->
    [one] jour
   *[other] jours
}
unit-domains = { $count ->
    [one] domaine
   *[other] domaines
}
unit-entries = { $count ->
    [one] entrée
   *[other] entrées
}
unit-errors = { $count ->
    [one] erreur
   *[other] erreurs
}
unit-failed-logins = { $count ->
    [one] échec de connexion
   *[other] échecs de connexion
}
unit-failed-sign-ins = { $count ->
    [one] connexion échouée
   *[other] connexions échouées
}
unit-hosts = { $count ->
    [one] serveur
   *[other] serveurs
}
unit-members = { $count ->
    [one] membre
   *[other] membres
}
unit-keys = { $count ->
    [one] clé
   *[other] clés
}
unit-messages = { $count ->
    [one] message
   *[other] messages
}
unit-messages-a-minute = { $count ->
    [one] message par minute
   *[other] messages par minute
}
unit-months = { $count ->
    [one] mois
   *[other] mois
}
unit-octets = { $count ->
    [one] octet
   *[other] octets
}
unit-octets-a-second = { $count ->
    [one] octet par seconde
   *[other] octets par seconde
}
unit-recipients = { $count ->
    [one] destinataire
   *[other] destinataires
}
unit-records = { $count ->
    [one] enregistrement
   *[other] enregistrements
}
unit-refusals-a-minute = { $count ->
    [one] refus par minute
   *[other] refus par minute
}
unit-plans = { $count ->
    [one] forfait
   *[other] forfaits
}
unit-policies = { $count ->
    [one] politique
   *[other] politiques
}
unit-priority = comme priorité
unit-queries-a-minute = { $count ->
    [one] question par minute
   *[other] questions par minute
}
unit-replies = { $count ->
    [one] réponse
   *[other] réponses
}
unit-reports = { $count ->
    [one] rapport
   *[other] rapports
}
unit-reports-a-minute = { $count ->
    [one] rapport par minute
   *[other] rapports par minute
}
unit-requests = { $count ->
    [one] requête
   *[other] requêtes
}
unit-requests-a-minute = { $count ->
    [one] requête par minute
   *[other] requêtes par minute
}
unit-rows = { $count ->
    [one] ligne
   *[other] lignes
}
unit-seconds = { $count ->
    [one] seconde
   *[other] secondes
}
unit-servers = { $count ->
    [one] serveur
   *[other] serveurs
}
unit-sessions = { $count ->
    [one] session
   *[other] sessions
}
unit-suppressed-addresses = { $count ->
    [one] adresse exclue
   *[other] adresses exclues
}
unit-wrong-pairs = { $count ->
    [one] paire erronée
   *[other] paires erronées
}
unit-calls = { $count ->
    [one] appel
   *[other] appels
}
unit-webhooks = { $count ->
    [one] webhook
   *[other] webhooks
}
unit-complaints = { $count ->
    [one] plainte
   *[other] plaintes
}
unit-percent = { $count ->
    [one] pour cent
   *[other] pour cent
}
unit-times = { $count ->
    [one] fois
   *[other] fois
}
