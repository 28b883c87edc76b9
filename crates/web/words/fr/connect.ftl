# Ce que disent en français les pages des paramètres de connexion et de l’aide. Chaque message a son jumeau sous en/.

## Connexion
connect-application = Votre application
connect-encryption = Chiffrement
connect-encryption-or = souvent appelé « TLS » ; « SSL/TLS » sur { $port }
connect-five = Les cinq réglages
connect-lede = Ce qu’il faut saisir dans l’application qui envoie.
connect-lost = Perdu ? Ajoutez-en un second, ou réinitialisez-le.
connect-no-user = Le nom d’utilisateur et le mot de passe sont ceux d’un utilisateur SMTP, et il n’y en a pas encore : créez-en un à la page de son domaine.
connect-on = L’authentification est toujours activée (« utiliser l’authentification SMTP » : oui). L’adresse de l’expéditeur doit appartenir au domaine pour lequel le nom d’utilisateur a été créé.
connect-port = Port
connect-port-or = ou { $port } si seul « SSL/TLS » est proposé
connect-ready = Prêt pour votre application
connect-replace = Mettez votre mot de passe à la place de { $word }.
connect-server = Serveur
connect-show = Afficher
connect-then = Puis exécutez
connect-username = Nom d’utilisateur

## Morceaux prêts à copier
snippet-body = Le relais fonctionne.
snippet-django = Essayez ensuite avec la commande ci-dessous.
snippet-laravel = Laravel 11 et suivants. Avant la version 11, écrivez MAIL_ENCRYPTION=tls à la place de MAIL_SCHEME.
snippet-msmtp = Ce fichier contient un mot de passe : rendez-le lisible par vous seul (chmod 600). Essayez ensuite avec la commande ci-dessous.
snippet-postfix = Comme relais de sortie (smarthost) : tout le courrier de cette machine passe par le relais. Sous Debian et Ubuntu, le paquet libsasl2-modules est aussi nécessaire. myorigin donne au courrier de root et de cron un expéditeur permis.
snippet-root-shell = dans un terminal, en tant que root
snippet-shell = dans un terminal
snippet-spring = Avec spring-boot-starter-mail. Donnez à chaque message un expéditeur de votre domaine.
snippet-subject = Un essai
snippet-swaks = Montre toute la conversation : le meilleur outil pour trouver ce qui cloche.
snippet-to = vous@example.com
snippet-wordpress = Créez le dossier s’il n’existe pas. Toutes les extensions envoient alors par le relais. Si vous préférez une extension comme WP Mail SMTP, choisissez « Other SMTP » et saisissez-y les cinq réglages.
snippet-your-password = VOTRE_MOT_DE_PASSE
snippet-your-username = VOTRE_NOM_D_UTILISATEUR

## Ports
ports-further-starttls = Autres ports avec STARTTLS, si votre hébergeur bloque ceux-ci : { $ports }.
ports-further-tls = Autres ports avec SSL/TLS : { $ports }.
ports-nothing-else = Rien ne fonctionne sans TLS, ni avec une version antérieure à TLS 1.2.
ports-starttls = Prenez { $port } si on vous laisse le choix. L’application commence en clair puis passe au TLS avant de dire quoi que ce soit d’important : ce passage s’appelle STARTTLS.
ports-tls = Prenez { $port } si l’application ne propose que « SSL/TLS » : tout est chiffré dès le premier octet. L’un est aussi sûr que l’autre.
ports-tls-alone = Prenez { $port } avec « SSL/TLS » : tout est chiffré dès le premier octet.
ports-which = Quel port ?

## Limites
limit-failures = Après { $pairs } paires différentes et inexactes de nom d’utilisateur et mot de passe, ou { $failures } échecs de connexion de toute sorte, en { $window } minutes, votre adresse est bloquée { $minutes } minutes, et plus longtemps si cela continue. Une application qui fonctionne déjà depuis la même adresse continue de fonctionner.
limit-messages = { $count ->
    [one] { $number } message par connexion.
   *[other] { $number } messages par connexion.
}
limit-recipients = { $count ->
    [one] { $number } destinataire par message, À, Cc et Cci réunis. Au-delà, divisez l’envoi.
   *[other] { $number } destinataires par message, À, Cc et Cci réunis. Au-delà, divisez l’envoi. Ce que fait votre application d’un destinataire de trop dépend d’elle : certaines envoient aux premiers sans rien dire, d’autres s’arrêtent. Chaque destinataire refusé figure dans l’activité.
}
limit-sessions = { $user } connexions à la fois par nom d’utilisateur, { $account } par compte.
limit-size = { $size } tel qu’envoyé ({ $octets } octets). Un fichier grossit d’un tiers en entrant dans un courriel : comptez environ { $files } de fichiers.
limits-failures = Échecs de connexion
limits-fit = Ce que vous pouvez envoyer
limits-messages = Messages
limits-recipients = Destinataires
limits-sessions = Connexions
limits-size = Taille
size-kilobytes = { $number } Ko
size-megabytes = { $number } Mo

## Aide
help-blocked-do = Corrigez le mot de passe, puis attendez les minutes indiquées.
help-blocked-means = Cette adresse a été bloquée après des mots de passe inexacts.
help-blocked-seen = d’emblée, « too many failed logins »
help-clear-do = Choisissez STARTTLS, ou le port avec SSL/TLS, et « utiliser l’authentification ».
help-clear-means = L’application n’a pas activé le chiffrement, ou ne s’est pas authentifiée.
help-do = Que faire
help-early-do = Choisissez STARTTLS.
help-early-means = L’application s’authentifie sans chiffrement.
help-five = La personne qui administre votre compte les a.
help-large-do = Envoyez un lien plutôt que le fichier.
help-large-means = Plus de { $size }.
help-lede = Pour la personne qui saisit les réglages dans WordPress, une boutique, un CRM ou une imprimante.
help-link = Aide
help-login-do = Recopiez les deux, sans espace avant ni après, ou faites réinitialiser le mot de passe.
help-login-means = Le nom d’utilisateur ou le mot de passe est inexact.
help-login-seen = ou « Could not authenticate »
help-means = Ce que cela signifie
help-password = 20 lettres et chiffres, affichés une seule fois à la création
help-quota-do = Renvoyez à partir du jour indiqué, ou demandez davantage à votre administrateur.
help-quota-means = Le compte a atteint le nombre de destinataires permis ce mois-ci.
help-recipients-do = Divisez l’envoi.
help-recipients-means = { $count ->
    [one] Plus de { $number } destinataire.
   *[other] Plus de { $number } destinataires.
}
help-see = Ce que vous voyez
help-sender-do = Choisissez une adresse d’expéditeur de ce domaine.
help-sender-means = Le domaine de l’expéditeur n’est pas celui de ce nom d’utilisateur, ou n’est pas encore authentifié.
help-sender-seen = à MAIL ou à la fin
help-stopped-do = Demandez à votre administrateur.
help-stopped-means = Le mot de passe est bon, mais l’utilisateur SMTP ou le compte ne peut pas envoyer actuellement.
help-title = Envoyer depuis votre application
help-username = des lettres et des chiffres, qu’on vous a remis
help-when = Quand cela ne fonctionne pas

## Courriel d’essai
test-email = Envoyer un courriel d’essai
test-email-arrived = Le serveur du destinataire l’a reçu. S’il n’est pas dans la boîte de réception, cherchez-le parmi les indésirables.
test-email-choose = Choisir
test-email-lede = Un vrai message, par le chemin qu’emprunte le courrier de vos applications : ce qui lui manque leur manque aussi.
test-email-reload = Actualiser
test-email-row = Voir dans l’activité
test-email-send = Envoyer
test-email-sender = Expéditeur
test-email-sender-hint = Une adresse de { $domain }.
test-email-sent = Courriel d’essai à { $recipient }
test-email-signed = Signé
test-email-signed-what = Par DKIM pour { $domain }, avec { $selectors }.
test-email-to = Destinataire
test-email-to-hint = Votre propre adresse vous montre comment il arrive.
test-email-unsigned = Aucune signature vérifiable
test-email-unsigned-what = Aucune clé de { $domain } n’a été vue dans le DNS : rien ne prouve aux autres d’où vient le courrier. Publiez les enregistrements qu’indique la page du domaine, puis lancez la vérification.
test-email-what = Qui envoie, et à qui

## Une démonstration
demo = Démonstration : tout le courrier reste sur cette machine, quel que soit le destinataire.
demo-arrived = Rien ne quitte cette machine : le message est un fichier du dossier { $folder }.
demo-certificate = Le certificat de cette démonstration a été créé pour elle, et aucune application n’en connaît l’autorité. Faites accepter à la vôtre le fichier { $path } : les extraits prêts à copier le nomment, et d’autres applications le lisent dans la variable d’environnement SSL_CERT_FILE.
demo-download = Télécharger le certificat de l’autorité
demo-how = Comment se connecter
demo-mail = Chaque message livré est gardé dans { $folder }, un fichier par message, les cent derniers. Celui d’un utilisateur SMTP en mode bac à sable se trouve plutôt dans la boîte d’essai.
demo-title = Cette démonstration
