# Ce que disent en français les forfaits, les tarifs et les contacts. Chaque message a son jumeau du même nom sous en/.

## Menu
menu-plans = Forfaits
menu-pricing = Tarifs
menu-requests = Demandes de forfait

## Tarifs
plan-ask = Demander un forfait
plan-ask-do = Envoyer la demande
plan-ask-what = L’exploitant du relais vous répond. Un forfait plus généreux commence dès qu’il est approuvé, et les envois de la période en cours restent comptés. Un forfait plus modeste commence avec la prochaine période.
plan-cancel = Résiliation
plan-cancel-approval = L’exploitant du relais doit d’abord l’approuver.
plan-cancel-ask = Résilier le forfait…
plan-cancel-back = Jusque-là, vous pouvez y renoncer ici ; par la suite, vous pourrez demander un nouveau forfait.
plan-cancel-do = Demander la résiliation
plan-cancel-logins = À partir de ce jour, vos applications ne pourront plus se connecter. Les messages déjà acceptés seront encore livrés.
plan-cancel-sure = Ce compte ne doit plus rien envoyer une fois son forfait terminé
plan-cancel-title = Résilier le forfait de ce compte ?
plan-cancel-what = Met fin au forfait avec la période où l’exploitant du relais l’approuve. D’ici là, rien ne change.
plan-cancel-when = Le forfait prend alors fin avec la période où la résiliation est approuvée ; celle en cours dure jusqu’au { $day }.
plan-choose = Choisissez un forfait.
plan-ends = Le forfait prend fin le { $day }. Dès lors, les applications ne pourront plus se connecter ; les messages déjà acceptés seront encore livrés.
plan-follows = { $plan } commence le { $day }. D’ici là, rien ne change.
plan-keep = Garder le forfait actuel
plan-message = Message à l’exploitant
plan-message-hint = Seulement s’il y a quelque chose à préciser.
plan-none = Aucun forfait
plan-none-cancelled = Le forfait de ce compte a été résilié : ses applications ne peuvent plus se connecter. Les messages déjà acceptés sont encore livrés. Un administrateur peut demander un forfait à la page Tarifs.
plan-none-unapproved = Aucun forfait n’a encore été approuvé pour ce compte : ses applications ne peuvent pas se connecter. Un administrateur peut demander un forfait à la page Tarifs.
plan-one = Forfait
plan-own-limit = Une limite que l’exploitant a fixée pour ce compte seulement.
plan-price = Prix
plan-recipients-a-month = { $count ->
    [one] { $number } destinataire par mois
   *[other] { $number } destinataires par mois
}
plan-to-come = Un changement est prévu
plan-unlimited = Destinataires sans limite
plan-wish = le forfait { $plan }
plan-wish-cancel = la résiliation du forfait
plan-yours = Votre forfait
plans-offered = Forfaits proposés
plans-offered-none = L’exploitant du relais ne propose aucun forfait au choix.
plans-offered-what = Chaque destinataire d’un message accepté compte, que celui-ci soit livré ou non.
pricing-lede = Le forfait de ce compte, et ceux qui peuvent être demandés.
request-approved = Demande approuvée : { $wish }
request-by = { $who }, le { $at }
request-declined = Demande refusée : { $wish }
request-open = En attente de l’exploitant : { $wish }
request-reason = Motif donné :
request-withdraw = Retirer la demande

## Les forfaits de l’exploitant
plan-accounts = { $count ->
    [0] Aucun compte n’a ce forfait.
    [one] Un compte a ce forfait, l’aura ou le demande.
   *[other] { $number } comptes ont ce forfait, l’auront ou le demandent.
}
plan-add = Ajouter un forfait
plan-add-do = Ajouter le forfait
plan-bring-back = Remettre en service
plan-default = Forfait par défaut
plan-default-do = En faire le forfait par défaut
plan-default-what = Les comptes que vous créez commencent avec le forfait par défaut. Les comptes existants gardent le leur.
plan-delete = Supprimer le forfait
plan-delete-sure = Il n’est plus nécessaire
plan-delete-title = Supprimer le forfait { $name } ?
plan-fr-hint = Vide : comme en anglais.
plan-is-default = Par défaut
plan-is-hidden = Non proposé
plan-is-offered = Proposé
plan-is-retired = Retiré
plan-name = Nom en anglais
plan-name-fr = Nom en français
plan-no-number = Le nombre de destinataires et le rang doivent être des nombres entiers. Rien n’a été modifié.
plan-offer = Le proposer aux comptes
plan-offer-hint = Ils le voient sous Tarifs et peuvent le demander.
plan-place = Rang dans les listes
plan-place-hint = Le plus petit nombre vient en premier.
plan-price-en = Prix en anglais
plan-price-fr = Prix en français
plan-price-hint = Dans vos mots, par exemple « 20 $ par mois ». Vide : aucun prix n’est affiché.
plan-recipients-hint = Vide : sans limite.
plan-retire = Retirer
plan-retirement = Retirer le forfait
plan-retirement-what = Aucun compte ne passe plus à un forfait retiré ; ceux qui l’ont le gardent. Un forfait dont aucun compte n’a besoin peut être supprimé.
plan-terms = Ce qu’il offre
plan-terms-what = Une modification vaut aussitôt, y compris pour les comptes qui ont déjà ce forfait.
plans-lede = À combien de destinataires par mois les comptes peuvent envoyer. Chaque compte a un forfait, sans quoi il ne peut rien envoyer.

## Demandes
health-requests = { $count ->
    [one] Un compte attend votre réponse au sujet de son forfait
   *[other] { $number } comptes attendent votre réponse au sujet de leur forfait
}
request-approve = Approuver
request-decline = Refuser
request-decline-why = Motif en cas de refus, montré au compte
request-has = Actuellement
request-now = { $plan } : { $recipients }
request-wish = Demande
requests-lede = Une fois la demande approuvée, un forfait plus généreux commence aussitôt, et les envois de la période restent comptés. Un forfait plus modeste et une résiliation prennent effet à la prochaine période du compte.
requests-none = Aucune demande en attente
requests-waiting = { $count ->
    [one] Une demande en attente
   *[other] { $number } demandes en attente
}

## Le forfait d’un compte
account-without-plan = Sans forfait
account-without-plan-hint = Il ne peut rien envoyer tant qu’il n’a pas demandé un forfait et que vous ne l’avez pas approuvé. Autrement, il commence avec le forfait par défaut.
plan-account = Forfait du compte
plan-account-what = Votre choix vaut aussitôt. Une limite propre au compte cède la place au nouveau forfait. Sans forfait, ses connexions sont refusées ; les messages déjà acceptés sont encore livrés.
plan-give = Donner ce forfait

## Contacts
contact-billing = Contact pour la facturation
contact-email = Adresse courriel
contact-name = Nom
contact-primary = Contact principal
contacts = Personnes-ressources
contacts-what = En plus des administrateurs, elles reçoivent les courriels sur le forfait et le quota, dans la langue du compte. Il n’est pas nécessaire qu’elles soient membres. Laissez les deux champs vides s’il n’y en a pas.
contacts-wrong = Donnez pour chaque personne un nom de 1 à 100 caractères et une adresse, ou laissez les deux champs vides. Rien n’a été modifié.
