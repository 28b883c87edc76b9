# Ce que disent le cadre, l’entrée et le profil en français. Chaque message a son jumeau du même nom sous en/.

## Partout
actions = Actions
cancel = Annuler
copied = Copié
copy = Copier
email = Adresse courriel
from = Depuis l’adresse
go-on = Continuer
language = Langue
last-seen = Dernière utilisation
other-language = English
password = Mot de passe
password-again = Votre mot de passe, encore une fois
password-before = Mot de passe actuel
password-change = Changer le mot de passe
password-guessable = Ce mot de passe est facile à deviner. Quelques mots que vous seul mettriez ensemble en font un bon.
password-hint = Au moins { $number } caractères. Quelques mots que vous seul mettriez ensemble valent mieux qu’un seul mot avec des signes.
password-long = Ce mot de passe dépasse 256 octets.
password-new = Nouveau mot de passe
password-short = Ce mot de passe compte moins de { $number } caractères.
password-show = Afficher le mot de passe
save = Enregistrer
since = Connecté depuis
skip = Aller au contenu
times-in = Heures : { $zone }
your-name = Votre nom

## Menu
menu = Menu
menu-account = Paramètres du compte
menu-accounts = Comptes
menu-activity = Activité
menu-audit = Journal d’audit
menu-blocks = Blocages
menu-brakes = Freins
menu-certificates = Certificats
menu-connections = Connexions
menu-dashboard = Tableau de bord
menu-domains = Domaines
menu-keys = Clés d’API
menu-limits = Limites
menu-main = Principal
menu-members = Membres
menu-overview = Vue d’ensemble
menu-part-account = Compte
menu-part-relay = Relais
menu-part-sending = Envoi
menu-people = Exploitants
menu-profile = Votre profil
menu-queue = File d’attente
menu-settings = Paramètres de connexion
menu-sign-out = Se déconnecter
menu-suppressions = Adresses exclues
menu-webhooks = Webhooks
menu-zone = Zone DNS
menu-you = Vous
place-relay = Exploitant du relais

## Au-dessus de chaque page
acting = Vous consultez { $account } à sa place. Son journal d’audit montre ce que vous faites ici.
acting-leave = Quitter ce compte
quota = Quota
quota-renews = { $percent } utilisés, renouvellement le { $day }
quota-used = { $count ->
   *[other] Destinataires pour cette période : { $used } sur { $number }
}
suspended = Ce compte est suspendu : ses applications ne peuvent plus se connecter, sa file d’attente est retenue et rien ne peut être modifié. Communiquez avec l’exploitant du relais.

## Entrée
choose-do = Enregistrer et se connecter
choose-title = Choisissez un mot de passe
choose-what = Pour { $email }.
claim = Chaque message, suivi jusqu’au bout.
claim-more = Un seul relais pour votre site web, votre CRM et l’imprimante du couloir. Vous voyez ce qu’il est advenu de chaque destinataire, et pourquoi.
code = Code
code-title = Entrez votre code
code-what = Ouvrez votre application d’authentification et saisissez les 6 chiffres qu’elle affiche pour Envoi.
entrance-link-void = Ce lien a déjà servi, a été remplacé par un plus récent ou est trop ancien. Demandez-en un autre à la personne qui vous l’a envoyé.
entrance-too-many = { $count ->
    [one] Trop de tentatives ont échoué. Réessayez dans une minute.
   *[other] Trop de tentatives ont échoué. Réessayez dans { $number } minutes.
}
entrance-wrong = Cela ne correspond pas. Vérifiez chaque lettre ; les majuscules comptent dans le mot de passe.
first-do = Commencer
first-title = Bienvenue dans Envoi
first-what = Vous êtes le premier exploitant de { $host }. Choisissez avec quoi vous vous connecterez.
forgotten = J’ai oublié mon mot de passe
forgotten-what = Un administrateur de votre compte peut vous créer un nouveau lien, sous Membres. Si vous êtes le seul, adressez-vous à l’exploitant du relais.
link-void = Ce lien ne fonctionne plus
recovery-code = Code de secours
recovery-do = Utiliser ce code
recovery-hint = L’un des dix codes que vous avez conservés en activant les codes à usage unique. Chacun ne sert qu’une fois.
recovery-use = Utiliser plutôt un code de secours
sign-in = Connexion
sign-in-do = Se connecter
sign-in-else = Se connecter sous un autre nom
sign-in-people = Cette console est destinée aux personnes. Votre application se connecte plutôt avec un nom d’utilisateur et un mot de passe SMTP.
sign-in-where = À la console de { $host }.

## Profil
browser = Navigateur
browser-end = Déconnecter
browser-this = celui-ci
browsers-title = Où vous êtes connecté
browsers-what = Déconnectez ce que vous ne reconnaissez pas, puis changez votre mot de passe.
codes-are-off = Désactivés. Avec eux, un mot de passe volé n’ouvre rien à lui seul.
codes-are-on = Activés : un code de votre appareil vous est demandé à la connexion.
codes-confirm = Le code que votre appareil affiche maintenant
codes-scan = Balayez ceci avec votre application d’authentification
codes-scan-what = Toute application de codes à usage unique (TOTP) convient. Sans appareil photo, saisissez la clé.
codes-seed = Clé
codes-square = Code carré contenant la clé
codes-title = Codes à usage unique
codes-turn-off = Désactiver les codes à usage unique
codes-turn-on = Activer les codes à usage unique
codes-why = Après votre mot de passe, un code vous sera demandé ; votre appareil en produit un nouveau toutes les 30 secondes.
profile-lede = Vous vous connectez avec { $email }.
profile-password-what = Tous les autres navigateurs sont déconnectés quand vous le changez.
profile-recovery-left = { $count ->
    [one] Il reste un code de secours.
   *[other] Il reste { $number } codes de secours.
}
profile-you = Vous
recovery-codes = Codes de secours
recovery-kept = Je les ai conservés
recovery-once = Ils ne sont affichés que cette fois. Chacun sert une fois, à la place d’un code de votre appareil.
recovery-title = Conservez vos codes de secours
recovery-what = Les codes à usage unique sont activés. Si vous perdez votre appareil, ces codes vous laisseront entrer.
sign-ins-further = autres endroits
sign-ins-last = Dernière fois
sign-ins-none = Personne ne s’est encore connecté, ni n’a essayé.
sign-ins-result = Résultat
sign-ins-result-no-code = Bon mot de passe, aucun code à usage unique
sign-ins-result-signed-in = Connexion réussie
sign-ins-result-wrong-code = Bon mot de passe, mauvais code à usage unique
sign-ins-result-wrong-password = Mauvais mot de passe
sign-ins-times = { $count ->
    [one] une fois depuis le { $since }
   *[other] { $number } fois depuis le { $since }
}
sign-ins-title = Connexions récentes
sign-ins-what = D’où venaient les connexions avec votre adresse, et lesquelles ont échoué. Si le mot de passe était bon et que ce n’était pas vous, changez-le.
sign-ins-what-member = D’où venaient ses connexions, et lesquelles ont échoué. Si le mot de passe était bon et que ce n’était pas cette personne, elle doit le changer.

## Échecs
failure-conflict = Cela contredit ce qui existe
failure-conflict-what = Rien n’a été modifié.
failure-forbidden = Vous n’avez pas accès à ceci
failure-forbidden-what = Un administrateur de votre compte peut vous donner un autre rôle.
failure-home = Retour au début
failure-invalid = Une valeur est incorrecte
failure-invalid-what = Rien n’a été modifié. Revenez en arrière et corrigez-la.
failure-not-found = Il n’y a rien ici
failure-not-found-what = L’adresse est erronée, ou ce qui s’y trouvait n’existe plus.
failure-stale = Ce formulaire était trop ancien
failure-stale-what = Vous vous êtes reconnecté depuis qu’il a été affiché. Rien n’a été fait : revenez en arrière, rechargez la page et réessayez.
failure-too-many = Trop de pages à la fois
failure-too-many-what = Rien n’a été modifié. Réessayez dans un instant.
failure-unavailable = Cela ne fonctionne pas pour le moment
failure-unavailable-what = Rien n’a été modifié. Réessayez dans un instant.
failure-unreadable = Ce formulaire n’a pas pu être lu
failure-unreadable-what = Rien n’a été fait. Revenez en arrière, rechargez la page et réessayez.

## Mot de passe perdu
forgotten-do = M’envoyer un lien
forgotten-sent = Si un membre possède cette adresse, un lien est en route. Il reste valable trois jours.
forgotten-title = Un nouveau mot de passe
forgotten-where = Nous envoyons un lien à l’adresse avec laquelle vous vous connectez.
