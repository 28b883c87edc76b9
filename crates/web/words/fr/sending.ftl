# Ce que disent en français les pages des domaines, des utilisateurs SMTP, du compte et des adresses exclues. Chaque message a son jumeau sous en/.

## Listes et questions
row-actions = Actions pour { $name }
question-tick = Cochez d’abord la case : cette action est irréversible.
question-which = Quelles clés
ask-delete = Supprimer…
listing-after = Suivant
listing-before = Précédent
listing-pages = Pages
listing-shown = { $first } à { $last } sur { $whole }
open = Ouvrir

## Domaines
bounce-mails = Avis de non-livraison
bounce-mails-off = Désactivés : ce qui n’a pu être livré figure dans l’activité, et aucun courriel n’en avise l’expéditeur.
bounce-mails-on = Activés : ce qui n’a pu être livré est annoncé par courriel à l’adresse de l’expéditeur, et figure dans l’activité.
bounce-mails-turn-off = Les désactiver
bounce-mails-turn-on = Les activer
sending-domain = Domaine
domain-add = Ajouter un domaine
domain-add-do = Ajouter le domaine
domain-add-first = Ajoutez votre premier domaine
domain-add-hint = Ce qui suit le @ de vos adresses d’expéditeur, exactement. Un sous-domaine est un domaine à part.
domain-advice-elsewhere = Tous les enregistrements y sont, mais un autre compte de ce relais détient ce domaine. Il sera à vous quand les enregistrements de cet autre compte auront disparu du DNS.
domain-advice-first = Publiez les enregistrements ci-dessous chez le fournisseur qui gère le DNS de votre domaine, chacun sous son propre nom. Attendez quelques minutes, puis appuyez sur « Vérifier maintenant ». Le relais vérifie aussi de lui-même.
domain-advice-missing = { $count ->
    [one] Un enregistrement obligatoire manque ou diffère. Publiez-le tel qu’affiché ci-dessous, puis appuyez sur « Vérifier maintenant ».
   *[other] { $number } enregistrements obligatoires manquent ou diffèrent. Publiez-les tels qu’affichés ci-dessous, puis appuyez sur « Vérifier maintenant ».
}
domain-advice-unknown = Les serveurs de noms de votre domaine n’ont pas répondu, ou mal. Cela ne change rien ; si cela dure, prévenez votre fournisseur DNS.
domain-checked = Le relais vérifie de lui-même : souvent tant qu’il manque quelque chose, chaque jour quand tout y est. Dernière vérification : { $moment }
domain-checked-never = Le DNS n’a pas encore été consulté.
domain-delete = Supprimer ce domaine
domain-delete-ask = Supprimer { $domain }…
domain-delete-do = Supprimer définitivement
domain-delete-final = C’est irréversible. Ajouté de nouveau, le domaine recevra d’autres enregistrements.
domain-delete-cancel = L’abandonner maintenant : il est retourné aux expéditeurs
domain-delete-deliver = Le livrer pendant 24 heures ; le reste est ensuite retourné
domain-delete-which = Son courrier en attente
domain-delete-stays = L’activité et les statistiques restent.
domain-delete-title = Supprimer { $domain } ?
domain-delete-type = Tapez { $domain } pour confirmer
domain-delete-typed-else = Ce que vous avez tapé n’est pas { $domain }. Rien n’a été supprimé.
domain-delete-users = { $count ->
    [0] Il n’a aucun utilisateur SMTP.
    [one] Son utilisateur SMTP s’arrête à l’instant ; les connexions ouvertes sont fermées.
   *[other] Ses { $number } utilisateurs SMTP s’arrêtent à l’instant ; les connexions ouvertes sont fermées.
}
domain-delete-what = Ses utilisateurs SMTP s’arrêtent aussitôt et ses enregistrements sont abandonnés pour de bon. L’activité reste. Ajouté de nouveau, il en recevra d’autres.
domain-double = { $domain } figure déjà dans votre liste.
domain-means-failed = Son courrier est refusé jusqu’au retour de tous les enregistrements obligatoires.
domain-means-pending = Son courrier est refusé tant que tous les enregistrements obligatoires n’ont pas été vus.
domain-means-validated = Son courrier est accepté et signé.
domain-means-vouched = Son courrier est accepté : l’exploitant du relais s’en porte garant. Il est signé dès que ses clés ont été vues dans le DNS.
domain-means-warning = Le courrier est encore accepté, jusqu’au { $moment } ; ensuite, il sera refusé jusqu’au retour de tous les enregistrements obligatoires.
domain-keys = Clés
domain-keys-what = Chaque algorithme a deux clés : l’une signe, l’autre attend. Passer de l’une à l’autre ne demande aucun changement au DNS ; faites-le une fois par an, ou si vous craignez qu’une clé soit connue d’autrui.
domain-last-look = Dernière vérification
domain-none = Ce n’est pas un nom de domaine. Donnez ce qui suit le @ de vos adresses d’expéditeur, par exemple example.com.
domain-records = Enregistrements DNS
domain-records-aliases = Alias (CNAME) à publier chez le fournisseur qui gère le DNS du domaine { $domain }. Ils mènent à des enregistrements dont le relais s’occupe : vous n’aurez plus rien à y changer.
domain-records-found = { $count ->
    [one] { $number } enregistrement trouvé sur { $all }
   *[other] { $number } enregistrements trouvés sur { $all }
}
domain-records-what = Enregistrements à publier chez le fournisseur qui gère le DNS du domaine { $domain }.
domain-rotate = Changer les clés de signature…
domain-rotate-both = RSA et Ed25519
domain-rotate-do = Changer
domain-rotate-ed25519 = Ed25519 seulement
domain-rotate-missing = Absent du DNS à la dernière vérification : { $records }. Une clé ne peut prendre la relève que si son enregistrement y est : signé par une autre, le courrier semblerait falsifié.
domain-rotate-refused = Rien n’a été modifié : { $records } manquait dans le DNS à la dernière vérification, et le courrier signé ainsi semblerait falsifié. Publiez-le, appuyez sur « Vérifier maintenant » à la page du domaine, puis réessayez ; ou changez l’autre algorithme seulement.
domain-rotate-rsa = RSA seulement
domain-rotate-sealed = Les messages déjà signés gardent leur signature. Laissez l’enregistrement de l’ancienne clé dans le DNS.
domain-rotate-title = Changer les clés de signature de { $domain } ?
domain-rotate-what = Désormais, la clé qui attendait signe, et celle qui signait attend. Rien n’est à changer dans le DNS.
domain-sends-until = Envoie jusqu’au { $moment }
domain-state = État
domain-state-failed = Échec
domain-state-pending = En attente
domain-state-validated = Validé
domain-state-vouched = Cautionné
domain-state-warning = Avertissement
domain-verify = Vérifier maintenant
domains-lede = Un domaine peut envoyer dès que ses enregistrements sont trouvés dans le DNS : ils prouvent qu’il est à vous et permettent aux destinataires de vérifier notre signature.
domains-none = Aucun domaine pour l’instant
domains-none-what = Ajoutez le domaine de vos expéditeurs. Vous recevrez des enregistrements à publier chez votre fournisseur DNS ; la plupart sont trouvés en quelques minutes.
domains-yours = Vos domaines
record = Enregistrement
record-absent = Absent du DNS
record-absent-what = Il n’y a rien sous ce nom.
record-alias = Mène à
record-at = Sous le nom
record-compare = Trouvé et attendu
record-dmarc = conseillé
record-dmarc-what = Dit aux destinataires que faire du courrier falsifié, et où le signaler : mettez-y une adresse que vous lisez.
record-expected = Attendu
record-form = Type
record-found = Trouvé
record-found-what = Tel qu’il doit être.
record-has = Trouvé
record-help = Un enregistrement n’est pas trouvé ?
record-help-long = Une longue valeur doit parfois être donnée en plusieurs morceaux : ils sont réunis.
record-help-name = Donnez le nom tel qu’affiché si votre fournisseur ajoute { $domain } de lui-même. Sinon, écrivez le domaine à la suite.
record-help-wait = Ce que vous publiez est vu de tous après quelques minutes, chez certains fournisseurs après une heure.
record-mail-elsewhere = Les avis de non-livraison iraient à d’autres serveurs que le relais.
record-name = Nom
record-optional = { $kind }, facultatif
record-pending = Pas encore consulté
record-pending-what = Publiez-le, puis appuyez sur « Vérifier maintenant ».
record-required = { $kind }, obligatoire
record-of = { $name } : { $said }
record-return-path = Adresse de retour
record-return-path-pending = Pour les avis de non-livraison. Vérifié avec les autres enregistrements.
record-return-path-unused = C’est permis. Tant qu’il n’est pas correct, le courrier part avec votre propre adresse, et ce que d’autres serveurs signalent plus tard n’arrive pas ici.
record-return-path-what = pour les rebonds signalés plus tard, facultatif
record-server = D’après
record-signature = Signature n° { $number }
record-signs = signe actuellement
record-unknown = Inconnu
record-unknown-what = Le DNS ne l’a pas dit. Cela ne change rien.
record-unknown-why = Le DNS ne l’a pas dit : { $fault }. Cela ne change rien.
record-unused = Absent du DNS
record-unused-what = C’est permis : le courrier part alors sans cette signature.
record-value = Valeur
record-wrong = Autre valeur
record-wrong-what = Une autre valeur s’y trouve : remplacez-la en entier.
record-zone-lacks = Votre enregistrement est juste, mais ce à quoi il mène manque du côté du relais : prévenez son exploitant.

## DMARC et SPF d’un domaine
dmarc-aligned = Une adresse de retour sous ce domaine compte aussi.
dmarc-no-reports = Personne ne reçoit de rapports (rua).
dmarc-policy-missing = { $name } porte un enregistrement sans politique : il est sans effet.
dmarc-policy-none = { $name } : le courrier qui échoue est remis comme les autres (none). Celui que ce relais signe passe.
dmarc-policy-quarantine = { $name } : le courrier qui échoue va dans les indésirables (quarantine). Celui que ce relais signe passe.
dmarc-policy-reject = { $name } : le courrier qui échoue est refusé (reject). Celui que ce relais signe passe.
dmarc-problem-no-policy = Il manque une politique : p=none, p=quarantine ou p=reject.
dmarc-problem-reports = Une adresse de rapport n’a pas la forme mailto:nom@example.com.
dmarc-problem-several = Plusieurs enregistrements DMARC se trouvent sous ce nom : aucun ne compte. N’en laissez qu’un.
dmarc-problem-syntax = Une partie n’a pas la forme étiquette=valeur.
dmarc-reports = Les rapports vont à { $addresses }.
dmarc-strict = Seule la signature compte : une adresse de retour sous ce domaine ne suffit pas (aspf=s).
dmarc-trial = Elle est seulement à l’essai (t=y) et ne doit pas encore être appliquée.
spf-absent = Il n’y a pas d’enregistrement SPF sous { $name }.
spf-broken-include = L’enregistrement SPF de { $at } est inutilisable : { $term } mène à un nom qui n’a pas un seul enregistrement SPF.
spf-broken-lookups = L’enregistrement SPF de { $at } est inutilisable : avec { $term }, il demande plus de dix recherches.
spf-broken-macro = L’enregistrement SPF de { $at } contient une macro, { $term }, qui n’est pas évaluée ici.
spf-broken-syntax = L’enregistrement SPF de { $at } est inutilisable : { $term } n’est pas un terme de SPF.
spf-broken-void = L’enregistrement SPF de { $at } est inutilisable : { $term } est le troisième à chercher un nom qui n’existe pas.
spf-refused = L’enregistrement SPF n’autorise pas le relais à envoyer depuis { $address } : { $term }.
spf-refused-unnamed = L’enregistrement SPF n’autorise pas le relais à envoyer depuis { $address } : rien n’y mentionne cette adresse.
spf-several = Plusieurs enregistrements SPF se trouvent sous ce nom : aucun ne compte.
spf-sourceless = SPF ne peut être évalué : on ne sait pas d’où ce relais envoie.
spf-unknown = Le DNS n’a pas dit qui peut envoyer : { $fault }.

## Utilisateurs SMTP
credential-copied = Je l’ai copié
credential-filled = Le nom d’utilisateur et le mot de passe y sont déjà.
credential-once = Copiez le mot de passe maintenant. Il n’est affiché que cette fois et n’est pas conservé ; perdu, il ne peut qu’être réinitialisé.
credential-title = « { $name } » est prêt
smtp-user = Utilisateur SMTP
smtp-user-30-days = 30 jours
smtp-user-add = Ajouter un utilisateur SMTP
smtp-user-add-do = Créer le nom d’utilisateur et le mot de passe
smtp-user-add-password = Ajouter un second mot de passe
smtp-user-add-what = Il envoie depuis { $domain } et depuis aucun autre domaine. Le nom d’utilisateur et le mot de passe sont créés pour vous ; le mot de passe n’est affiché qu’une fois.
smtp-user-application = L’application qui envoie
smtp-user-counts = Destinataires, selon les jours du fuseau horaire { $zone }.
smtp-user-delete = Supprimer cet utilisateur SMTP
smtp-user-delete-do = Supprimer l’utilisateur SMTP
smtp-user-delete-stays = Son courrier en file d’attente est encore livré, et l’activité reste. Le nom d’utilisateur ne servira plus jamais.
smtp-user-delete-sure = Je comprends que c’est irréversible
smtp-user-delete-title = Supprimer « { $name } » ?
smtp-user-delete-what = L’application qui l’utilise ne pourra plus envoyer ; ses connexions ouvertes sont fermées.
smtp-user-delivers-nothing = Ne livre rien
smtp-user-disable = Désactiver
smtp-user-double = Un autre utilisateur SMTP de ce domaine porte déjà ce nom.
smtp-user-drop = Mettre fin à l’ancien mot de passe…
smtp-user-drop-do = Mettre fin à l’ancien mot de passe
smtp-user-drop-sure = L’application utilise le nouveau
smtp-user-drop-title = Mettre fin à l’ancien mot de passe de « { $name } » ?
smtp-user-drop-what = Une application qui l’utilise encore ne pourra plus envoyer, et les connexions ouvertes sont fermées.
smtp-user-enable = Activer
smtp-user-example = Boutique WordPress
smtp-user-from = depuis { $address }
smtp-user-last = Dernière connexion
smtp-user-made = Créé
smtp-user-modify = Modifier
smtp-user-modify-what = Le nom d’utilisateur ne change jamais.
smtp-user-name = Nom
smtp-user-name-hint = Le nom de l’application, pour vous et vos collègues seulement.
smtp-user-never = Aucune depuis 30 jours
smtp-user-no-name = Donnez un nom de 1 à 100 caractères, sur une ligne.
smtp-user-of = Envoie depuis { $domain }.
smtp-user-password = Mots de passe
smtp-user-password-gone = Affiché une seule fois à la création ; il n’est conservé nulle part.
smtp-user-password-newer-unused = Le nouveau n’a pas encore servi.
smtp-user-password-newer-used = Dernière utilisation du nouveau : { $when }.
smtp-user-password-older-unused = L’ancien n’a pas servi depuis que les utilisations sont notées.
smtp-user-password-older-used = Dernière utilisation de l’ancien : { $when }.
smtp-user-password-one-unused = Il n’a pas servi depuis que les utilisations sont notées.
smtp-user-password-one-used = Dernière utilisation : { $when }.
smtp-user-passwords = { $count ->
    [one] Un mot de passe fonctionne.
   *[other] { $number } mots de passe fonctionnent, jusqu’à ce que vous mettiez fin à l’ancien.
}
smtp-user-rename = Renommer
smtp-user-reset = Réinitialiser le mot de passe…
smtp-user-reset-do = Réinitialiser le mot de passe
smtp-user-reset-instead = Pour le changer sans interruption, ajoutez plutôt un second mot de passe.
smtp-user-reset-sure = Je comprends que l’ancien mot de passe cesse maintenant
smtp-user-reset-title = Réinitialiser le mot de passe de « { $name } » ?
smtp-user-reset-what = Tous ses mots de passe cessent à l’instant, et les connexions ouvertes sont fermées. L’application ne pourra pas envoyer avant d’avoir le nouveau.
smtp-user-rotation = Pour le changer sans interruption : ajoutez-en un second, donnez-le à l’application, puis mettez fin au premier.
smtp-user-rotation-end = Dès que l’application utilise le nouveau, mettez fin à l’ancien.
smtp-user-sent-30-days = Envoyés depuis 30 jours
smtp-user-sent-today = Envoyés aujourd’hui
smtp-user-state-active = Actif
smtp-user-state-disabled = Désactivé
smtp-user-state-expired = Expiré
smtp-user-state-sandbox = Bac à sable
smtp-user-today = Aujourd’hui
smtp-user-until = Jusqu’à la fin du { $day }
smtp-user-use = Utilisation
smtp-user-view = Voir les détails
smtp-user-works = Fonctionne
smtp-users = Utilisateurs SMTP
smtp-users-none = Aucun pour l’instant. Créez-en un pour chaque application qui envoie depuis ce domaine.
smtp-users-what = Un par application, pour pouvoir en arrêter une sans les autres.

## Leurs règles
rules = Règles
rules-all = Tout ou rien
rules-all-what = Si un destinataire d’un message est refusé, refuser le message entier. Pour les applications qui enverraient aux autres, puis recommenceraient.
rules-behaviour = Comportement
rules-days = { $count ->
    [one] { $number } jour
   *[other] { $number } jours
}
rules-domains = Domaines des destinataires
rules-domains-hint = Un par ligne. Vide : tous.
rules-expires = Expire le
rules-expires-hint = Vide : jamais. Les connexions cessent à la fin de ce jour.
rules-hours = { $count ->
    [one] { $number } heure
   *[other] { $number } heures
}
rules-minutes = { $count ->
    [one] { $number } minute
   *[other] { $number } minutes
}
rules-more = Plus : expiration, réseaux, expéditeurs, destinataires, essais
rules-networks = Réseaux d’où il peut se connecter
rules-networks-hint = Un réseau ou une adresse par ligne. Vide : de partout.
rules-no-domain = « { $text } » n’est pas un nom de domaine.
rules-no-expiry = Donnez un jour à venir.
rules-no-network = « { $text } » n’est pas un réseau : écrivez 203.0.113.0/24, ou une seule adresse.
rules-no-sender = « { $text } » n’est pas une adresse de ce domaine. Un sous-domaine est un domaine à part.
rules-priority = Priorité
rules-priority-high = Haute : quelqu’un attend ce courriel
rules-priority-hint = Parmi les courriels de votre compte, les plus prioritaires partent en premier.
rules-priority-low = Basse : infolettres, envois en nombre
rules-priority-normal = Normale
rules-repeat = Le même message une deuxième fois
rules-repeat-default = seulement après une connexion rompue
rules-repeat-hint = Pendant cette durée, mêmes Message-ID, destinataires et contenu font un seul message : la réponse porte le premier identifiant, et rien ne part deux fois.
rules-retry = Réessayer pendant
rules-retry-default = Comme le relais
rules-retry-hint = Ce qui n’est pas livré d’ici là est un rebond temporaire.
rules-sandbox = Bac à sable
rules-sandbox-what = Tout accepter et signer, tout garder dans la boîte d’essai, ne rien livrer. Pour les essais.
rules-senders = Adresses d’expéditeur
rules-senders-hint = Une par ligne. Vide : toute adresse de { $domain }.
rules-suppressed = Signaler à l’application les destinataires exclus
rules-suppressed-what = Répondre 550 au lieu de 250. Dans les deux cas, l’activité montre Rejeté.
rules-unsubscribe = Désabonnement en un clic
rules-unsubscribe-what = Pour les infolettres : chaque message reçoit les champs List-Unsubscribe et List-Unsubscribe-Post (RFC 8058), signés, sauf s’il a déjà les siens. Qui se désabonne ne reçoit plus rien de cet utilisateur SMTP ; les autres peuvent encore lui écrire. Un message n’a alors qu’un destinataire : un deuxième reçoit la réponse 452.
rules-what = Ce que cet utilisateur SMTP peut faire.

## Le compte
own-account-double = Un autre compte de ce relais porte déjà ce nom.
own-account-language-hint = Celle de ce que le relais écrit à ce compte. La vôtre se choisit dans votre profil.
own-account-lede = Compte { $number }, créé le { $day }
own-account-name = Nom
own-account-no-name = Donnez un nom de 1 à 100 caractères, sur une ligne.
own-account-what = Nom, heure et langue
own-account-zone = Fuseau horaire
own-account-zone-hint = Celui de toutes les heures affichées aux pages de ce compte. C’est désormais lui qui délimite les jours des statistiques, et la période du quota se renouvelle à minuit, heure de ce fuseau ; ce qui est déjà compté reste à sa place.

## Adresses exclues
suppression-add = Exclure une adresse
suppression-add-do = Exclure
suppression-address = Adresse
suppression-all = Tout afficher
suppression-by-unsubscribed = Désabonnement
suppression-count = { $count ->
    [one] Une adresse.
   *[other] { $number } adresses.
}
suppression-by-bounce = Adresse inexistante
suppression-by-complaint = Plainte
suppression-by-manual = À la main
suppression-cause = Origine
suppression-cause-any = Toutes les origines
suppression-export = Télécharger en CSV
suppression-import = Importer une liste
suppression-import-added = { $count ->
    [0] Aucune adresse n’a été ajoutée
    [one] { $count } adresse est maintenant exclue
   *[other] { $count } adresses sont maintenant exclues
}
suppression-import-do = Les exclure
suppression-import-done = La liste a été lue
suppression-import-file = Un fichier
suppression-import-hint = Une adresse par ligne, ou un fichier CSV dont la première ligne nomme les colonnes : address, cause (manual, bounce, complaint, unsubscribed), reason, until, smtp_user. Une cinquantaine de milliers de lignes au plus à la fois.
suppression-import-known = { $count ->
    [0] Aucune n’était déjà exclue.
    [one] { $count } l’était déjà.
   *[other] { $count } l’étaient déjà.
}
suppression-import-lede = Apportez les adresses qu’un autre service excluait pour vous : rien ne leur sera envoyé d’ici non plus.
suppression-import-line = Ligne
suppression-import-list = La liste
suppression-import-title = Importer des adresses exclues
suppression-import-untaken = { $count ->
    [one] { $count } ligne n’a pas été prise. Les autres l’ont été.
   *[other] { $count } lignes n’ont pas été prises ; les cent premières figurent ci-dessous. Les autres l’ont été.
}
suppression-import-why = Pourquoi
suppression-lasting = jusqu’à sa levée
suppression-lift-risk = Avant d’en rétablir une : écrire à une adresse qui n’existe pas, ou à une personne qui s’est plainte, coûte à votre domaine sa réputation, et donc la remise de tous vos autres messages. Ne rétablissez une adresse que si vous la savez bonne.
suppression-lift-unsubscribed = Une personne qui s’est désabonnée ne veut plus de ces messages, et la loi (LCAP, RGPD) est de son côté. Ne rétablissez son adresse que si elle a elle-même redemandé qu’on lui écrive.
suppression-no-day = Ce n’est pas une date. Donnez-la sous la forme 2027-01-31, ou laissez le champ vide.
suppression-since = Depuis
suppression-stream = Envois de { $name } seulement
suppression-stream-gone = Envois de l’utilisateur SMTP { $user }, supprimé depuis, seulement
suppression-until = Jusqu’au
suppression-until-hint = Vide : jusqu’à ce que quelqu’un la rétablisse.
suppression-lede = Adresses auxquelles ce compte n’envoie rien. L’application reçoit son 250, l’activité montre Rejeté, et rien n’est compté.
suppression-lift = Rétablir
suppression-list = Liste des adresses exclues
suppression-no-address = Ce n’est pas une adresse. Donnez-la sous la forme nom@example.com.
suppression-none = Aucune adresse exclue
suppression-none-what = Inscrivez l’adresse d’une personne qui ne veut plus recevoir de courrier de votre part.
suppression-not-found = Aucune adresse exclue ne contient « { $search } ».
suppression-reason = Motif
suppression-reason-hint = Conservé avec l’adresse. Peut rester vide.
suppression-search = Rechercher

## Effacement d’un destinataire et durée de conservation
own-account-days = Conserver l’activité pendant (jours)
own-account-days-hint = Passé ce délai, les lignes de l’activité, celles des connexions échouées et le journal des webhooks sont effacés. Vide : { $max } jours, la durée maximale de ce relais.
own-account-no-days = Indiquez un nombre entier de jours, de 1 à { $max }, ou laissez le champ vide. Rien n’a été modifié.
erase = Effacer un destinataire
erase-lede = Une personne peut demander qu’on ne conserve plus rien à son sujet. Tout ce que ce compte garde sur une adresse disparaît définitivement.
erase-ask = Effacer un destinataire…
erase-whom = La personne à effacer
erase-what = Ses lignes d’activité avec tous leurs événements, les refus et les connexions échouées où elle figure, les appels aux webhooks qui la mentionnent, même ceux qui restaient à envoyer, ainsi que les messages de la boîte d’essai qui lui étaient destinés.
erase-stays = Les statistiques demeurent : elles ne nomment personne. Le journal d’audit indique combien de données ont été effacées, mais pas de qui.
erase-queue = Le courrier qui lui est destiné et qui attend encore y reste, avec sa ligne d’activité : recommencez quand il sera parti.
erase-suppression = Lever aussi son exclusion. Sans elle, on pourra de nouveau lui écrire.
erase-sure = Je veux l’effacer ; rien ne pourra être récupéré
erase-do = Effacer définitivement
erase-done = Effacé pour { $address } – lignes d’activité : { $rows } ; connexions : { $connections } ; appels aux webhooks : { $calls } ; messages de la boîte d’essai : { $messages }.
erase-done-suppression = L’exclusion est levée : on peut de nouveau lui écrire.
erase-done-waiting = { $count ->
    [one] Une ligne reste, car son courrier est encore dans la file d’attente. Recommencez quand il sera parti.
   *[other] { $number } lignes restent, car leur courrier est encore dans la file d’attente. Recommencez quand il sera parti.
}
unsubscribe-ask = { $address } ne recevra plus d’envois de ce genre.
unsubscribe-ask-of = { $address } ne recevra plus d’envois de ce genre de la part de { $sender }.
unsubscribe-do = Se désabonner
unsubscribe-done = Votre désabonnement est enregistré
unsubscribe-done-what = Plus rien de ce genre ne partira vers { $address }. Un message déjà en route peut encore arriver.
unsubscribe-failed = Votre demande n’a pas pu être enregistrée
unsubscribe-failed-what = Veuillez réessayer dans quelques minutes.
unsubscribe-title = Ne plus recevoir ces envois ?
unsubscribe-void = Ce lien est incomplet
unsubscribe-void-what = Sous cette forme, il n’a pas été envoyé d’ici. Ouvrez-le depuis le message, ou copiez-le en entier.
