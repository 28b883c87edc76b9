# Ce que disent le tableau de bord, l’activité et les connexions en français. Chaque message a son jumeau sous en/.

## Périodes
period-30 = 30 derniers jours
period-7 = 7 derniers jours
period-custom = Personnalisée
period-from = Du
period-show = Afficher
period-to = Au
period-today = Aujourd’hui
period-wrong = Ces deux jours ne forment pas une période : le premier ne peut pas suivre le dernier, et les statistiques sont conservées { $days } jours. Voici plutôt les 7 derniers jours.
period-yesterday = Hier

## Tableau de bord
begin-connect = Connectez l’application
begin-connect-what = Saisissez le serveur, le port, le nom d’utilisateur et le mot de passe dans WordPress, votre CRM ou l’imprimante. La page Paramètres de connexion les tient prêts à copier.
begin-delivered = Voyez-le arriver
begin-delivered-what = Envoyez-vous un message d’essai. Il apparaît dans l’activité en une seconde ou deux, avec ce qu’il en est advenu.
begin-domain = Ajoutez le domaine d’où vous envoyez
begin-domain-do = Ajouter un domaine
begin-domain-what = Vous recevez quelques enregistrements DNS à publier. Ils prouvent à tous les serveurs de courriel que les messages viennent bien de vous.
begin-title = Quatre étapes vers votre premier message
begin-user = Créez un utilisateur SMTP
begin-user-what = Un par application : vous les distinguez, et vous pouvez en arrêter une sans toucher aux autres. Son mot de passe n’est affiché qu’une fois.
begin-what = Ce compte n’a pas encore de domaine d’envoi. Ses administrateurs peuvent faire le premier pas dès maintenant.
chart = Graphique
chart-all = Cumulatif
chart-at = { $when } : { $values }
chart-cumulative = Destinataires, livrés et rebonds, additionnés jour après jour, { $period }
chart-delivered = Livrés
chart-each = Nouveaux
chart-hard-bounces = Rebonds permanents
chart-lower = Rebonds
chart-new = Destinataires, livrés et rebonds par jour, { $period }
chart-recipients = Destinataires
chart-soft-bounces = Rebonds temporaires
chart-table = Afficher ces chiffres dans un tableau
chart-title = Jour après jour
chart-upper = Destinataires et livrés
dashboard-complaints = Plaintes
dashboard-complaints-what = des destinataires livrés
dashboard-against = par rapport à : { $period }
dashboard-day = Jour
dashboard-domains-all = Tous les domaines
dashboard-domains-none = Aucun domaine de ce compte ne peut envoyer pour le moment. Publiez ses enregistrements DNS, puis vérifiez-le.
dashboard-domains-what = Ceux qui peuvent envoyer maintenant, avec ce qu’ils ont envoyé durant cette période.
dashboard-hidden = Ce qui a été envoyé, et ce qu’il en est advenu, n’est visible que des membres qui ont accès aux activités SMTP. Un administrateur du compte peut vous donner cet accès.
dashboard-last = 10 dernières activités
dashboard-last-all = Toute l’activité
dashboard-last-none = Rien n’a été envoyé durant les 30 derniers jours.
dashboard-lede = Tout est compté en destinataires. Les jours sont ceux du fuseau horaire { $zone } ; aujourd’hui, c’est { $day }.
dashboard-nothing-before = rien auparavant
dashboard-points = { $number } pt
dashboard-renews = Renouvellement le
dashboard-span = du { $from } au { $to }
dashboard-state = État
dashboard-under-way = Encore en route
dashboard-under-way-what = en attente, ou réessayés par nos soins
dashboard-unlimited = Illimité
dashboard-used = Destinataires de ce compte
dashboard-used-so-far = Utilisés durant cette période
sends-validated = Validé
sends-vouched = Cautionné
sends-warning = Enregistrement manquant

## Activité
activity-address-example = marie@ ou @a.ca
activity-class = Nature de l’échec
activity-clear = Effacer
activity-domain = Domaine d’envoi
activity-domains-all = Tous les domaines
activity-empty = Rien ici pour le moment
activity-empty-what = Dès qu’une application envoie par ce compte, chaque destinataire a ici une ligne qui dit ce qu’il en est advenu.
activity-encryption = Chiffrement
activity-export = Exporter
activity-export-csv = CSV (tableur)
activity-export-json = Fichier JSON
activity-hello-name = S’est présenté comme
activity-lede = Une ligne par destinataire, durant les 30 derniers jours au plus.
activity-live = En direct
activity-live-what = Les nouvelles lignes apparaissent d’elles-mêmes.
activity-message = Courriel
activity-message-id = Id. du message
activity-message-id-field = Champ Message-ID
activity-more = Plus de filtres
activity-newest = Aux plus récentes
activity-newest-first = Les plus récentes d’abord
activity-nothing = Aucun résultat
activity-nothing-what = Durant cette période, aucun destinataire ne répond à tous les filtres. Essayez une période plus longue ou moins de filtres.
activity-octets = { $count ->
    [one] { $number } octet
   *[other] { $number } octets
}
activity-older = Plus anciennes
activity-pages = Pages de résultats
activity-period = Période
activity-recipient = Destinataire
activity-recipient-none = Aucun destinataire encore
activity-recipients = Destinataires
activity-recipients-all = Tous ceux de ce message
activity-reference = Référence
activity-search = Rechercher
activity-sender = Expéditeur
activity-session = Connexion
activity-session-id = Identifiant de session
activity-sha256 = Empreinte SHA-256 à la soumission
activity-sha256-delivered = Empreinte SHA-256 à la livraison
activity-sha256-equal = La même : rien n’a été modifié en chemin. La signature est ajoutée devant.
activity-size = Taille
activity-status = État
activity-subject = Objet
activity-subject-and-sender = Objet et expéditeur
activity-subject-unknown = (refusé avant d’en recevoir l’objet)
activity-subject-none = (sans objet)
activity-time = Heure
activity-took = Durée de la transmission
activity-took-milliseconds = { $took } ms
activity-user = Utilisateur SMTP
activity-users-all = Tous les utilisateurs SMTP
activity-what-to-do = Que faire : { $fix }
activity-export-busy = Le nombre maximal de fichiers est déjà en préparation. Réessayez dans une minute.
activity-wrong-days = Ces jours ne forment pas une période : le premier ne peut pas suivre le dernier.
activity-wrong-id = Ce n’est pas l’identifiant d’un message : il compte 26 lettres et chiffres, comme dans « queued as … ».
brake-complaints = Sur { $of } destinataires livrés en deux jours de suite, { $counted } ont signalé le courriel comme indésirable. Les fournisseurs ferment leurs portes à partir de 3 pour mille.
brake-hard-bounces = Sur { $of } destinataires, { $counted } ont donné un rebond permanent en une heure. Souvent, la liste est ancienne ou achetée, ou un mot de passe a été volé.
brake-of-account = Tout le compte
brake-of-user = Utilisateur SMTP « { $name } »
brake-reference = Référence
brake-release = Lever le frein
brake-since = Depuis
brake-then-look = Voyez dans l’activité ce qui a été envoyé. Si ce n’était pas vous, réinitialisez d’abord le mot de passe de l’utilisateur SMTP. Levez ensuite le frein : ce qui était retenu part.
brake-then-new = Les nouveaux courriels reçoivent la réponse « 450 4.7.1 » : les applications dotées d’une file d’attente réessaient d’elles-mêmes.
brake-then-operator = Il s’est activé de nouveau moins d’un jour après avoir été levé : l’exploitant du relais l’examine et peut le lever.
brake-then-queue = Ce qui attend dans la file est retenu. Rien n’expire et rien n’est perdu.
brake-volume = L’envoi a atteint { $counted } destinataires ; d’après la dernière semaine, on pouvait en attendre jusqu’à { $of }.
braked = Le frein automatique est actif : les courriels sont différés et retenus jusqu’à ce que quelqu’un ait vérifié et le lève.
braked-look = Vérifier et lever
brakes-lede = Quand beaucoup d’envois rebondissent, que beaucoup de destinataires se plaignent ou que le volume dépasse de loin l’habitude, les courriels sont différés et retenus avant de nuire à la réputation de tous.
brakes-none = Aucun frein n’est actif
brakes-none-what = Les courriels sont acceptés et partent.
brakes-title = Freins automatiques
status-accepted = Accepté
status-all = Tous
status-complaint = Plainte
status-deferred = Différé
status-delivered = Livré
status-hard = Rebond permanent
status-pending = En attente
status-rejected = Rejeté
status-soft = Rebond temporaire
timeline-accepted = Enregistré sur disque ; sa livraison nous incombe désormais. Nous avons répondu :
timeline-report = Rapport d’un autre serveur
timeline-attempt = Tentative { $number } : { $status }
timeline-attempt-from = { $server }, { $how }, { $took } ms, envoyé depuis { $source }
timeline-attempt-how = { $server }, { $how }, { $took } ms
timeline-clear = sans chiffrement
timeline-clear-tested = sans chiffrement, ce que la politique MTA-STS du domaine refuserait si elle n’était pas à l’essai
timeline-clear-why = sans chiffrement ({ $why })
timeline-connected = L’application s’est connectée
timeline-encrypted = par { $version }
timeline-encrypted-dane = par { $version }, certificat vérifié par DANE
timeline-encrypted-dane-unusable = par { $version }, exigé par DANE, certificat non vérifié
timeline-encrypted-doubted = par { $version }, ce que la politique MTA-STS du domaine refuserait si elle n’était pas à l’essai ({ $why })
timeline-wish-required = { $encryption }, comme l’expéditeur l’exige (REQUIRETLS)
timeline-wish-waived = { $encryption } ; l’expéditeur a demandé qu’aucune politique n’empêche la remise (TLS-Required: No)
timeline-encrypted-sts = par { $version }, certificat vérifié comme l’exige la politique MTA-STS du domaine
timeline-encrypted-tested = par { $version }, comme le demande la politique MTA-STS du domaine, encore à l’essai
timeline-handed-in = Le message nous a été confié
timeline-handed-in-by = Par HTTP, par { $who }, depuis { $address }.
timeline-hello = Elle s’est présentée comme { $name }.
timeline-next = Nouvelle tentative le { $when }, ou plus tôt.
timeline-other-failed = { $server } a aussi été essayé : { $said }
timeline-other-replied = { $server } a aussi été essayé et a répondu « { $said } »
timeline-sent-as = À envoyer au nom de l’utilisateur SMTP « { $user } ».
timeline-session = Depuis { $address }, par { $tls }.
timeline-title = Ce qui s’est passé
timeline-disowned = { $domain } indique que ce rapport ne vient pas de ses serveurs (SPF) : il n’exclut personne.
timeline-took = La transmission du message a pris { $took } ms.
timeline-unvouched = Aucun domaine ne se porte garant de l’auteur de ce rapport (SPF : { $spf }, DKIM : { $dkim }).
timeline-vouched-dkim = { $domain } se porte garant de ce rapport : il est signé (DKIM).
timeline-vouched-spf = { $domain } se porte garant de ce rapport : il vient de l’un de ses serveurs (SPF).
timeline-vouched-unknown = Impossible de savoir si un domaine se porte garant de ce rapport : le DNS n’a pas répondu.
timeline-user = Authentifiée comme l’utilisateur SMTP « { $user } ».

## Connexions
connections-address = Adresse du client
connections-block-failures = { $count ->
    [one] Une tentative de connexion a échoué depuis cette adresse en peu de temps.
   *[other] { $number } tentatives de connexion ont échoué depuis cette adresse en peu de temps.
}
connections-block-pairs = { $count ->
    [one] Une mauvaise combinaison de nom d’utilisateur et de mot de passe y a été essayée.
   *[other] { $number } mauvaises combinaisons différentes de nom d’utilisateur et de mot de passe y ont été essayées.
}
connections-blocked = Bloquée jusqu’au { $until } : { $address }
connections-cause = Cause du problème
connections-causes-all = Toutes les causes
connections-count = { $count ->
    [one] Une ligne, la plus récente d’abord
   *[other] { $number } lignes, les plus récentes d’abord
}
connections-empty = Aucun problème
connections-empty-what = Quand une application n’arrive pas à s’authentifier, se heurte à une limite ou se présente sans chiffrement, cela apparaît ici avec la cause et la marche à suivre.
connections-fix = Que faire
connections-from = depuis { $address }
connections-lede = Les tentatives de connexion qui n’ont pas abouti à un message, chacune avec sa cause et la marche à suivre.
connections-lift = Lever le blocage
connections-liftable = Tous ses échecs visaient ce compte : vous pouvez donc lever le blocage. Corrigez d’abord le mot de passe dans l’application, sinon il reviendra.
connections-nothing-what = Aucune ligne ne répond à tous les filtres.
connections-nothing-yet = Aucune des lignes les plus récentes ne correspond à tous les filtres. Il y en a de plus anciennes.
connections-others = Elle a aussi essayé des noms d’utilisateur étrangers à ce compte : seul l’exploitant du relais peut lever le blocage. Il prend fin de lui-même.
connections-times = { $count ->
    [one] Une fois.
   *[other] { $number } fois.
}
connections-unknown = inconnu
connections-who = Utilisateur SMTP et adresse
trouble-blocked = Adresse bloquée
trouble-clear = Sans chiffrement
trouble-limit = Limite atteinte
trouble-network = Réseau non autorisé
trouble-other = Autre problème
trouble-password = Mauvais mot de passe
trouble-state = Connexion désactivée
trouble-tls = Échec de TLS
trouble-username = Nom d’utilisateur inconnu
