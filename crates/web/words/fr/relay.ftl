# Ce que disent en français les pages de l’exploitant sur le relais lui-même : sauvegardes, courrier du relais, rapports TLS, adresses exclues. Chaque message a son jumeau du même nom sous en/.

## Menu
menu-backups = Sauvegardes
menu-own-mail = Courrier du relais

## Sauvegardes
backup-busy = Une sauvegarde est en cours de création ou de vérification depuis le { $moment }. Le courrier continue de circuler.
backup-by = par { $name }
backup-check = Vérifier
backup-checked-at = Tous les fichiers ont été comparés le { $moment }
backup-example = /sauvegardes/envoi/2026-11-30
backup-failed = La sauvegarde dans { $folder }, commencée le { $moment }, n’a pas été faite
backup-folder = Dossier
backup-folder-hint = Son chemin complet, sur la machine du relais ; un dossier vide ou qui n’existe pas encore. C’est l’utilisateur du relais qui y écrit : sous systemd, ReadWritePaths= doit nommer l’endroit.
backup-gone = Absente
backup-gone-what = Déplacée ou supprimée depuis.
backup-inside = Ce qu’elle contient, et ce qu’elle ne contient pas
backup-inside-has = Les comptes, membres, forfaits, domaines, utilisateurs SMTP et adresses exclues, le journal d’audit, l’activité et le courrier en attente, tels qu’ils étaient à un même instant.
backup-inside-key = La clé maîtresse n’y est pas, sauf si vous cochez la case.
backup-inside-key-what = Conservez-la à part, une fois pour toutes : elle ne change jamais. Sans elle, après une restauration, aucun utilisateur SMTP ne peut se connecter et aucun domaine ne peut signer.
backup-inside-lacks = N’y sont pas : le contenu du courrier déjà parti, les boîtes d’essai, le fichier de configuration et les certificats. Gardez ailleurs une copie de ces deux derniers.
backup-key = Clé maîtresse
backup-make = Faire une sauvegarde
backup-make-do = Faire la sauvegarde
backup-make-what = Le courrier continue de circuler. Avec beaucoup de données, il faut quelques minutes ; cette page indique quand c’est terminé.
backup-moment = Date
backup-no-folder = Donnez le chemin complet du dossier : il commence par une barre oblique.
backup-read-back = Chaque fichier a été relu sur le disque à la création.
backup-restore = Restaurer une sauvegarde
backup-restore-empty = Dans un dossier de données vide, sur la machine du relais, celui-ci étant arrêté : rien n’est écrasé, et chaque fichier est d’abord comparé au manifeste.
backup-restore-hold = Avec --hold, le courrier qui attendait alors est retenu, pour que vous l’examiniez dans la file d’attente : ce qui a été livré depuis le serait une seconde fois.
backup-restore-key = Remettez la clé maîtresse en place avant de démarrer le relais : master.key dans le dossier de données, à moins que la configuration n’en nomme un autre.
backup-restore-what = Un relais en marche ne remplace pas ses propres données : cela se fait dans un terminal.
backup-right = Intacte
backup-take-key = Copier aussi la clé maîtresse
backup-take-key-what = Quiconque détient une telle sauvegarde détient tous les secrets du relais.
backup-waited = { $count ->
    [0] Aucun courrier n’attendait.
    [one] { $number } message attendait.
   *[other] { $number } messages attendaient.
}
backup-with-key = Incluse
backup-without-key = Non incluse
backup-wrong = Endommagée
backups-lede = Des copies de tout ce que sait le relais, faites pendant qu’il travaille. Déplacez-les sur une autre machine : un disque qui lâche emporte tout ce qui s’y trouve.
backups-made = Sauvegardes récentes
backups-made-what = Celles que ce relais a faites, d’ici, par son API ou dans un terminal. Les plus anciennes et celles que vous avez déplacées sont là où vous les avez mises.
backups-none = Aucune sauvegarde pour l’instant
backups-none-what = Faites la première ci-dessous, puis une chaque nuit : envoi backup dans une minuterie du système.

## Courrier du relais
own-mail-add-this = Ajouter { $domain }
own-mail-add-what = Publiez ensuite ses enregistrements, comme pour le domaine d’un compte.
own-mail-configuration = Fichier de configuration
own-mail-domains = Ils n’appartiennent à aucun compte : ni quota ni limite ne s’y appliquent.
own-mail-lede = Invitations, nouveaux mots de passe, alertes sur les quotas et les certificats, rapports : le relais les écrit depuis une adresse à vous. Sans elle, il n’écrit à personne, et c’est vous qui transmettez les liens.
own-mail-missing = { $domain }, d’où le relais doit écrire, ne figure pas parmi ses domaines
own-mail-missing-do = Ajoutez-le ici et publiez ses enregistrements dans le DNS : son courrier sera alors signé comme celui de tout autre domaine.
own-mail-nameless = Le relais n’a pas d’adresse d’où écrire
own-mail-nameless-do = Indiquez-en une dans le fichier de configuration, d’un domaine dont vous gérez le DNS, puis redémarrez le relais. Le domaine s’ajoute ensuite ici.
own-mail-none = Le relais n’a pas encore de domaine à lui.
own-mail-used = Le relais écrit depuis ce domaine.
own-mail-waiting = Le domaine d’où le relais doit écrire ne peut pas encore envoyer
own-mail-waiting-do = Ses enregistrements ne sont pas encore tous dans le DNS. D’ici là, le relais n’écrit à personne.
own-mail-writes = Le relais écrit en tant que { $address }.

## Rapports TLS
tls-policy-no-policy-found = Aucune politique
tls-policy-sts = MTA-STS
tls-policy-tlsa = DANE
tls-report-counted = Sessions
tls-report-day = Jour (UTC)
tls-report-domain = Domaine
tls-report-due = rapport après le { $moment }
tls-report-given-up = Abandonné
tls-report-held-to = Politique applicable
tls-report-result = { $result } : { $count }
tls-report-results = Ce qui a échoué
tls-report-sent = Envoyé
tls-report-sessions = { $successes } réussies, { $failures } échouées
tls-reports-counted = Décompte pour les prochains rapports
tls-reports-counted-none = Rien n’est compté : aucun courrier n’est encore parti, ou la configuration n’indique aucun contact sous [tls_reports].
tls-reports-counted-what = Comment s’est passé le chiffrement TLS avec les serveurs de courriel de chaque domaine, aujourd’hui et les jours dont le rapport reste à envoyer. Seuls les domaines qui en demandent un en reçoivent.
tls-reports-lede = Un domaine peut demander si le courrier lui parvient par TLS (TLS-RPT). Le relais le compte jour par jour et le dit à ceux qui le demandent.
tls-reports-none = Aucun rapport n’a encore été envoyé.
tls-reports-sent = Rapports envoyés
tls-reports-sent-what = Les plus récents d’abord.
tls-reports-title = Rapports TLS
tls-result-certificate-expired = Certificat expiré
tls-result-certificate-host-mismatch = Certificat établi à un autre nom
tls-result-certificate-not-trusted = Certificat d’une autorité inconnue
tls-result-dane-required = DANE exigé, sans enregistrement utilisable
tls-result-dnssec-invalid = DNSSEC invalide
tls-result-starttls-not-supported = STARTTLS non proposé
tls-result-sts-policy-fetch-error = Politique MTA-STS introuvable
tls-result-sts-policy-invalid = Politique MTA-STS invalide
tls-result-sts-webpki-invalid = Certificat de l’hôte de la politique MTA-STS invalide
tls-result-tlsa-invalid = L’enregistrement TLSA ne correspond à aucun certificat
tls-result-validation-failure = Autre échec de la négociation

## Adresses exclues de tous les comptes
suppressions-everywhere-lede = Les adresses auxquelles les comptes n’envoient rien. Chaque compte s’occupe des siennes ; on les trouve toutes ici.
suppressions-everywhere-more = Pour ajouter des adresses, importer une liste ou en télécharger une, consultez le compte à sa place.
suppressions-everywhere-none = Aucune adresse exclue
suppressions-everywhere-none-what = Aucune ne correspond, ou aucun compte n’en a.

## Ce que le relais garde dans ses propres phrases
saying-authority-silent = L’autorité ne dit pas pourquoi.
saying-broke-off = L’échange s’est interrompu : { $error }.
saying-dns = Le DNS ne dit pas où se trouve { $host } : { $fault }.
saying-http = L’échange HTTP n’a pas pu commencer : { $error }.
saying-long = Le motif dépasse { $most } octets.
saying-names-no-address = La ligne ne contient aucune adresse.
saying-no-address = { $host } n’a pas d’adresse dans le DNS.
saying-no-answer = Aucune réponse complète n’est venue en { $seconds } secondes.
saying-no-cause = « { $word } » n’est pas une origine : écrivez manual, bounce, complaint ou unsubscribed.
saying-no-certificate = Aucun certificat ne peut être valable pour { $host }.
saying-no-challenge = L’autorité ne propose pas { $challenge } pour { $name }.
saying-no-csv = À partir d’ici, ce n’est plus du CSV : un guillemet n’est pas fermé.
saying-no-moment = « { $given } » n’est pas une date : écrivez 2026-11-23 ou 2026-11-23T21:00:00Z.
saying-no-user = « { $user } » n’est pas le numéro d’un utilisateur SMTP.
saying-not-a-domain = « { $given } » n’est pas un nom de domaine.
saying-not-an-address = « { $given } » n’est pas une adresse de courriel.
saying-not-called = { $host } mène à { $address }, une adresse d’un réseau privé ou spécial : rien n’y est envoyé, à moins que l’exploitant ne le permette.
saying-order-long = La commande n’a pas abouti en { $minutes } minutes.
saying-over = L’échéance est déjà passée.
saying-tls = Échec de TLS avec { $host } : { $error }.
saying-unreached = { $remote } est injoignable : { $error }.
saying-url = L’URL ne peut pas être appelée : { $error }.

## Connexions de tous les comptes
connections-everywhere-lede = Les connexions qui n’ont pas abouti, celles de tous les comptes et celles qui ne sont d’aucun : chacune avec sa cause et la marche à suivre.
connections-of-nobody = d’aucun compte
