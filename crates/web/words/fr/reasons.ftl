# Pourquoi quelque chose a échoué, et que faire, en français. Chaque message a son jumeau du même nom sous en/.

## Ce qu’a donné une tentative
why-account-deleted = Le compte a été supprimé avant que ce message puisse être livré.
why-cancelled = Annulé par { $who }.
why-complaint = Le destinataire a signalé à son fournisseur qu’il ne voulait pas de ce message.
why-damaged = Le relais a accepté ce message, puis un défaut de son disque l’a endommagé avant la livraison.
why-delivered = Le serveur du destinataire a pris le message et l’a confirmé.
why-domain-deleted = Le domaine d’envoi a été supprimé avant que ce message puisse être livré.
why-domain-lost = Le domaine d’envoi a perdu sa validation et ne l’a pas retrouvée à temps.
why-flood = { $count ->
    [one] Un autre refus est venu trop vite pour avoir sa propre ligne.
   *[other] { $number } autres refus sont venus trop vite pour avoir chacun leur ligne.
}
why-given-up = Abandonné après { $span }. Dernière tentative : { $last }
why-held-damaged = Retenu parce qu’il est endommagé sur le disque du relais. L’exploitant du relais en est informé.
why-held-domain = Retenu parce que les enregistrements du domaine d’envoi ne sont plus publiés.
why-held-operator = Retenu par l’exploitant du relais, jusqu’à ce qu’il le libère.
why-held-suspended = Retenu parce que le compte est suspendu.
why-released = Il a été libéré, et une nouvelle tentative est en cours.
why-delayed = { $count ->
    [one] Retardé : accepté il y a une heure.
   *[other] Retardé : accepté il y a { $number } heures.
}
why-held-brake = Retenu par le frein automatique, jusqu’à ce qu’un administrateur du compte ou l’exploitant du relais le lève.
why-inbox = La boîte d’essai ne peut pas garder le message pour l’instant.
why-reported = Signalé après la livraison du message : { $last }
why-reported-delayed = Le serveur du destinataire a signalé que le message n’est pas encore remis et qu’il continue d’essayer.
why-reported-on = Le serveur du destinataire a signalé qu’il a remis le message, ou qu’il l’a transmis plus loin.
why-sandbox = Bac à sable : gardé dans la boîte d’essai, non transmis.
why-sandbox-more = L’utilisateur SMTP est en mode bac à sable : le message est gardé dans la boîte d’essai et n’a pas été transmis.
why-doubted-complaint = Une plainte au sujet de ce message est arrivée, et aucun domaine ne se porte garant de son auteur : elle n’est pas comptée.
why-unattributed = Un serveur a signalé l’échec d’un message à plusieurs destinataires sans dire duquel il s’agit. C’est peut-être celui-ci, peut-être un autre.
why-unattributed-complaint = Un fournisseur a signalé une plainte au sujet d’un message à plusieurs destinataires sans dire de qui elle vient. C’est peut-être celui-ci, peut-être un autre.
why-then-blocked = { $count ->
    [one] L’adresse a ensuite été bloquée une minute.
   *[other] L’adresse a ensuite été bloquée { $number } minutes.
}
why-times = { $count ->
    [one] Une fois.
   *[other] { $number } fois.
}
why-unsigned = Le relais n’a pas pu signer le message.
why-waiting = En attente de sa première tentative.
why-waiting-more = Il est sur le disque du relais ; sa première tentative vient ensuite.
span-days = { $count ->
    [one] un jour
   *[other] { $number } jours
}
span-hours = { $count ->
    [one] une heure
   *[other] { $number } heures
}
span-minutes = { $count ->
    [one] une minute
   *[other] { $number } minutes
}
span-seconds = { $count ->
    [one] une seconde
   *[other] { $number } secondes
}

## Que faire
fix-account-deleted = Il n’y a rien à faire : les envois d’un tel compte sont abandonnés avec lui.
fix-complaint = N’envoyez plus rien à ce destinataire, et vérifiez comment il est entré dans votre liste : les plaintes nuisent davantage à votre réputation que les rebonds.
fix-nothing = Il n’y a rien à faire.
fix-doubted-complaint = Les fournisseurs signent les plaintes qu’ils transmettent. Si celle-ci est réelle, n’envoyez plus rien à ce destinataire.
fix-unattributed = Envoyez à chaque destinataire un message à part : on sait alors de qui il s’agit.
fix-again = Envoyez le message de nouveau s’il est toujours utile.
fix-brake = Regardez pourquoi le frein est actif, corrigez-en la cause, puis levez-le depuis le tableau de bord.
fix-domain-again = Ajoutez le domaine de nouveau, publiez ses nouveaux enregistrements, puis renvoyez le message.
fix-given-up = Envoyez-le de nouveau plus tard. Si l’échec persiste, demandez autrement au destinataire si son courriel fonctionne.
fix-later = Rien pour le moment, le relais réessaie de lui-même. Si cela dure des jours, renseignez-vous autrement auprès du destinataire.
fix-operator = Écrivez à l’exploitant du relais.
fix-records = Publiez les enregistrements que la page Domaines affiche pour le domaine d’envoi, vérifiez, puis envoyez de nouveau.

## Nos réponses : ce qu’elles veulent dire, et que faire
reply-account-suspended = Le mot de passe est bon, mais le compte est suspendu.
reply-account-suspended-fix = Écrivez à l’exploitant du relais.
reply-account-without-plan = Le mot de passe est bon, mais le compte n’a pas de forfait : il a été résilié, ou aucun n’a encore été approuvé.
reply-account-without-plan-fix = Un administrateur peut demander un forfait à la page Tarifs.
reply-address-blocked = L’adresse est bloquée après des échecs de connexion : la connexion a été refusée.
reply-address-blocked-fix = Corrigez le nom d’utilisateur ou le mot de passe dans l’application, puis attendez la fin du blocage ou faites-le lever.
reply-all-or-nothing = Un autre destinataire du même message a été refusé, et cet utilisateur SMTP envoie à tous ou à personne.
reply-all-or-nothing-fix = Corrigez le destinataire refusé, puis envoyez de nouveau.
reply-already-accepted = L’application a envoyé exactement le même message une deuxième fois. Il avait déjà été accepté : la réponse portait le premier identifiant, et rien n’est parti deux fois.
reply-already-accepted-fix = Rien à faire. La ligne du premier message, qui a le même sujet, montre ce qu’il est devenu.
reply-argument-invalid = L’application a envoyé une commande incomplète ou mal formée.
reply-argument-invalid-fix = Mettez l’application à jour ; la réponse montre la forme attendue.
reply-auth-blocked = L’adresse est bloquée après des échecs de connexion ; le mot de passe n’a pas été examiné.
reply-auth-blocked-fix = Corrigez le nom d’utilisateur ou le mot de passe dans l’application, puis attendez la fin du blocage ou faites-le lever.
reply-auth-encryption = Le mot de passe a voyagé sans chiffrement. Il a été jeté sans être lu.
reply-auth-encryption-fix = Choisissez STARTTLS dans l’application, puis réinitialisez le mot de passe : d’autres ont pu le voir.
reply-auth-failures-max = Trop d’échecs de connexion dans une même session : elle a été fermée.
reply-auth-failures-max-fix = Corrigez le nom d’utilisateur ou le mot de passe dans l’application.
reply-auth-invalid = Le nom d’utilisateur est bon, le mot de passe ne l’est pas.
reply-auth-invalid-fix = Copiez le mot de passe de nouveau, sans espace avant ni après. S’il est perdu, réinitialisez-le.
reply-auth-mechanism-unknown = L’application a tenté de s’authentifier d’une manière inconnue ici.
reply-auth-mechanism-unknown-fix = Choisissez « mot de passe normal », PLAIN ou LOGIN dans l’application.
reply-auth-required = L’application a tenté d’envoyer sans s’authentifier.
reply-auth-required-fix = Activez l’authentification dans l’application, puis saisissez le nom d’utilisateur et le mot de passe.
reply-auth-unavailable = Le relais n’a pas pu consulter ses registres : personne ne pouvait s’authentifier.
reply-auth-unavailable-fix = Réessayez dans quelques minutes. L’exploitant du relais en est informé.
reply-brake-on = Le frein automatique est actif pour l’utilisateur SMTP ou son compte : les nouveaux courriels sont différés.
reply-brake-on-fix = Voyez pourquoi sur la page des freins, corrigez-en la cause, puis levez le frein. Les applications dotées d’une file d’attente réessaient d’elles-mêmes.
reply-content-loop = Le message est passé par trop de serveurs : il tourne en rond.
reply-content-loop-fix = Cherchez deux serveurs qui se renvoient le courriel par ici, souvent à cause d’une redirection.
reply-content-nul = Le message contient un octet NUL, ce qu’aucun courriel ne peut contenir.
reply-content-nul-fix = Faites encoder les pièces jointes en base64 par l’application.
reply-errors-max = L’application a fait trop d’erreurs dans une même session : elle a été fermée.
reply-errors-max-fix = Regardez ce qui a été refusé juste avant ; chaque ligne dit ce qui n’allait pas.
reply-from-domain-foreign = L’adresse « De » n’est pas du domaine de cet utilisateur SMTP.
reply-from-domain-foreign-fix = Utilisez une adresse « De » du domaine de l’utilisateur, et mettez l’autre dans « Répondre à ». Un sous-domaine est un domaine à part entière.
reply-from-domain-unauthenticated = Le domaine de l’adresse « De » n’est pas validé.
reply-from-domain-unauthenticated-fix = Publiez les enregistrements que la page Domaines affiche, puis vérifiez.
reply-from-missing = Le message n’a pas de champ « De ».
reply-from-missing-fix = Indiquez l’expéditeur dans l’application.
reply-from-not-allowed = Cet utilisateur SMTP ne peut pas envoyer avec cette adresse « De ».
reply-from-not-allowed-fix = Un administrateur du compte peut modifier la liste des adresses d’où l’utilisateur peut envoyer.
reply-from-several = Il faut un seul champ « De » contenant une seule adresse ; le message a autre chose.
reply-from-several-fix = Indiquez une seule adresse « De » dans l’application.
reply-header-too-long = L’en-tête du message est trop long.
reply-header-too-long-fix = Envoyez à moins d’adresses par message.
reply-messages-max = Une même connexion a servi à plus de messages que la limite.
reply-messages-max-fix = D’ordinaire, rien : les applications se reconnectent et continuent. Sinon, réglez la vôtre pour qu’elle envoie moins de messages par connexion.
reply-network = Le mot de passe est bon, mais cet utilisateur SMTP ne peut pas se connecter depuis { $address }.
reply-network-fix = Est-ce vous ? Ajoutez { $address } aux réseaux de l’utilisateur. Sinon, réinitialisez le mot de passe : quelqu’un le connaît.
reply-network-not-allowed = L’adresse d’où ce message a été remis n’appartient à aucun réseau de cet utilisateur SMTP.
reply-network-not-allowed-fix = Envoyez depuis l’un de ses réseaux, ou demandez à un administrateur du compte de les modifier.
reply-nobody = Aucun utilisateur SMTP ne porte ce nom.
reply-nobody-fix = Copiez le nom d’utilisateur de nouveau ; il est fait de lettres et de chiffres, et n’est pas une adresse courriel. Si l’utilisateur a été supprimé, créez-en un autre.
reply-parameter-invalid = L’application a envoyé un paramètre mal formé ou donné deux fois.
reply-parameter-invalid-fix = Mettez l’application à jour.
reply-parameter-unknown = L’application a demandé une fonction que ce relais n’offre pas.
reply-parameter-unknown-fix = Désactivez cette fonction dans l’application ; la réponse la nomme.
reply-quota-reached = Le quota mensuel du compte était atteint : rien n’a été envoyé à ce destinataire.
reply-quota-reached-fix = Envoyez de nouveau après le renouvellement du quota, ou demandez-en un plus grand à l’exploitant du relais.
reply-rate-limited = Trop de courriels sont venus en peu de temps pour ce que le relais permet.
reply-rate-limited-fix = D’ordinaire, rien : les applications dotées d’une file d’attente réessaient d’elles-mêmes. Étalez les gros envois.
reply-recipient-literal = Le destinataire est à une adresse IP plutôt qu’à un domaine.
reply-recipient-literal-fix = Utilisez une adresse qui a un domaine.
reply-recipient-not-allowed = Cet utilisateur SMTP ne peut pas envoyer au domaine de ce destinataire.
reply-recipient-not-allowed-fix = Un administrateur du compte peut modifier la liste des domaines où l’utilisateur peut envoyer.
reply-recipient-not-ascii = L’adresse a des lettres hors de l’ASCII, comme « é », et l’application n’a pas dit qu’elle connaît de telles adresses.
reply-recipient-not-ascii-fix = Utilisez une adresse sans accents, ou une application qui connaît SMTPUTF8.
reply-recipient-suppressed = L’adresse est parmi les adresses exclues du compte : rien ne lui a été envoyé.
reply-recipient-suppressed-fix = Si l’adresse est redevenue bonne, un administrateur peut lever l’exclusion.
reply-recipient-syntax = Ce n’est pas une adresse courriel complète.
reply-recipient-syntax-fix = Corrigez l’adresse là où elle est conservée : il lui faut un domaine avec un point, comme nom@example.org.
reply-recipients-max = Le message a plus de destinataires que la limite ; ceux d’avant ont été acceptés.
reply-recipients-max-fix = Divisez l’envoi. Le mieux est un message par destinataire.
reply-recipients-one = L’utilisateur SMTP envoie avec désabonnement en un clic : chaque message va à un seul destinataire, que le lien désigne. Le premier a été accepté.
reply-recipients-one-fix = Envoyez un message par destinataire, ou désactivez le désabonnement en un clic sous Modifier.
reply-sender-domain-foreign = Le domaine de l’expéditeur n’est pas celui de cet utilisateur SMTP.
reply-sender-domain-foreign-fix = Utilisez un expéditeur du domaine de l’utilisateur, ou un utilisateur SMTP du domaine de l’expéditeur. Un sous-domaine est un domaine à part entière.
reply-sender-domain-unauthenticated = Le domaine d’envoi n’est pas validé.
reply-sender-domain-unauthenticated-fix = Publiez les enregistrements que la page Domaines affiche, puis vérifiez.
reply-sender-not-allowed = Cet utilisateur SMTP ne peut pas envoyer depuis cette adresse.
reply-sender-not-allowed-fix = Un administrateur du compte peut modifier la liste des adresses d’où l’utilisateur peut envoyer.
reply-sender-not-ascii = L’adresse de l’expéditeur a des lettres hors de l’ASCII, comme « é », et l’application n’a pas dit qu’elle connaît de telles adresses.
reply-sender-not-ascii-fix = Utilisez un expéditeur sans accents, ou une application qui connaît SMTPUTF8.
reply-sender-syntax = L’expéditeur n’est pas une adresse courriel complète.
reply-sender-syntax-fix = Corrigez l’expéditeur dans l’application.
reply-session-revoked = L’utilisateur SMTP a changé pendant qu’il était connecté : supprimé, désactivé, suspendu, ou doté d’un nouveau mot de passe.
reply-session-revoked-fix = Connectez-vous de nouveau avec le mot de passe actuel. Le journal d’audit dit qui a changé quoi.
reply-sessions-account = Le compte a autant de connexions ouvertes que la limite le permet.
reply-sessions-account-fix = Réglez les applications pour qu’elles gardent moins de connexions ouvertes à la fois.
reply-sessions-address = Une même adresse avait plus de connexions ouvertes que la limite ne le permet.
reply-sessions-address-fix = Réglez les applications pour qu’elles gardent moins de connexions ouvertes à la fois.
reply-sessions-total = Le relais avait autant de connexions ouvertes qu’il peut en tenir.
reply-sessions-total-fix = D’ordinaire, rien : les applications réessaient. Si cela arrive souvent, écrivez à l’exploitant du relais.
reply-sessions-user = L’utilisateur SMTP a autant de connexions ouvertes que la limite le permet.
reply-sessions-user-fix = Réglez l’application pour qu’elle garde moins de connexions ouvertes, ou créez un autre utilisateur SMTP pour une partie de ses envois.
reply-store-failed = Le relais n’a pas pu conserver le message, et n’a rien accepté.
reply-store-failed-fix = Envoyez de nouveau plus tard. L’exploitant du relais en est informé.
reply-store-full = Le disque du relais manquait de place.
reply-store-full-fix = D’ordinaire, rien : les applications dotées d’une file d’attente réessaient d’elles-mêmes.
reply-tls-distrusted = L’application ne fait pas confiance au certificat de ce serveur.
reply-tls-distrusted-fix = Saisissez le nom du serveur exactement comme l’affiche la page Paramètres de connexion, et mettez à jour la liste des autorités auxquelles l’application fait confiance.
reply-tls-failed = La connexion chiffrée n’a pas pu être établie.
reply-tls-failed-fix = Vérifiez le port et le chiffrement dans l’application : la page Aide indique lesquels vont ensemble.
reply-tls-old = L’application ne connaît rien de plus récent que TLS 1.1.
reply-tls-old-fix = Mettez à jour l’application, le micrologiciel de l’appareil ou le système ; il faut TLS 1.2 ou 1.3.
reply-tls-required = L’application a tenté de continuer sans chiffrement.
reply-tls-required-fix = Choisissez STARTTLS pour ce port dans l’application, ou le port que la page Aide donne pour SSL/TLS.
reply-too-large = Le message dépasse la taille permise.
reply-too-large-fix = Envoyez des fichiers moins lourds, car ils grossissent d’un tiers en route, ou envoyez un lien. La page Aide indique la taille permise.
reply-user-disabled = Le mot de passe est bon, mais l’utilisateur SMTP est désactivé.
reply-user-disabled-fix = Sert-il encore ? Un administrateur du compte peut l’activer.
reply-user-expired = Le mot de passe est bon, mais l’utilisateur SMTP est expiré.
reply-user-expired-fix = Sert-il encore ? Un administrateur du compte peut repousser son expiration.
