# Ce que disent en français les pages des rapports DMARC et de l’état d’un domaine. Chaque message a son jumeau sous en/.

## Rapports DMARC
dmarc-title = Rapports DMARC de { $domain }
dmarc-lede = Ce que les fournisseurs de messagerie ont vu du courrier dont l’expéditeur porte ce domaine après l’arobase, quel que soit son auteur. Ils envoient un rapport par jour.
dmarc-off = Ce relais ne reçoit pas de rapports DMARC. Son exploitant peut l’activer.
dmarc-none = Aucun rapport pour l’instant
dmarc-none-what = Les fournisseurs les envoient aux adresses que nomme l’enregistrement DMARC du domaine (rua). Ajoutez-y celle-ci ; les premiers rapports arrivent un ou deux jours plus tard.
dmarc-in-all = Au total
dmarc-messages = Courriels
dmarc-passed = Conformes
dmarc-dkim = Par la signature (DKIM)
dmarc-spf = Par l’expéditeur (SPF)
dmarc-quarantined = Mis en indésirables
dmarc-rejected = Refusés
dmarc-sources = D’où vient ce courrier
dmarc-sources-what = Chaque serveur qui a envoyé du courrier sous votre domaine, et la part qui a été reconnue. Un serveur inconnu est un service oublié, ou un faussaire.
dmarc-source = Adresse
dmarc-source-own = ce relais
dmarc-source-others = Les autres, ensemble
dmarc-days = Jour par jour
dmarc-days-what = Les jours sont ceux des rapports, en UTC.
dmarc-reporters = Auteurs des rapports
dmarc-reporters-what = Leur nom est celui qu’ils se donnent ; le domaine indiqué dessous est établi par SPF ou DKIM. Les rapports dont aucun domaine ne se porte garant n’entrent pas dans les totaux.
dmarc-vouched = { $domain } s’en porte garant
dmarc-unvouched = Personne ne s’en porte garant : non compté
dmarc-unchecked = Non vérifié
dmarc-reporter = Fournisseur
dmarc-reports-number = Rapports
dmarc-advice-none = Tout le courrier signalé est conforme à DMARC.
dmarc-advice-own = { $count ->
    [one] Un courriel parti de ce relais n’a pas été reconnu. Vérifiez les enregistrements du domaine : chacun doit être trouvé.
   *[other] { $count } courriels partis de ce relais n’ont pas été reconnus. Vérifiez les enregistrements du domaine : chacun doit être trouvé.
 }
dmarc-advice-others = { $count ->
    [one] Un courriel qui n’est pas parti de ce relais a échoué. Si vous en connaissez la source, faites-la signer sous votre domaine ; sinon, quelqu’un l’usurpe, et une politique plus stricte (p=quarantine, p=reject) écarte ce courrier.
   *[other] { $count } courriels qui ne sont pas partis de ce relais ont échoué. Si vous en connaissez les sources, faites-les signer sous votre domaine ; sinon, quelqu’un l’usurpe, et une politique plus stricte (p=quarantine, p=reject) écarte ce courrier.
 }
dmarc-advice-some = { $count ->
    [one] Un courriel a échoué. S’il est parti de ce relais, vérifiez les enregistrements du domaine ; s’il vient d’un de vos services, faites-le signer sous votre domaine ; si sa source vous est inconnue, quelqu’un l’usurpe.
   *[other] { $count } courriels ont échoué. S’ils sont partis de ce relais, vérifiez les enregistrements du domaine ; s’ils viennent d’un de vos services, faites-les signer sous votre domaine ; si leurs sources vous sont inconnues, quelqu’un l’usurpe.
 }
dmarc-see = Rapports DMARC
dmarc-add = Ajoutez mailto:{ $address } à sa balise rua : les rapports seront affichés ici.

## L’état d’un domaine
health-title = État de { $domain }
health-lede = Comment le courrier de ce domaine est reçu, et que faire ensuite.
health-see = État du domaine
health-see-domain = Voir les enregistrements
health-looked-at = Examiné
health-verdict = État
health-found = Constat
health-next = Prochaine étape
health-how = Les rebonds et les plaintes sont ceux des 30 derniers jours qui sont parvenus au relais. Les fournisseurs tiennent leurs propres comptes, plus complets.
health-published = Seuil publié par { $provider } : { $rate }
health-verdict-good = Bon
health-verdict-unknown = Trop peu de données
health-verdict-watch = À surveiller
health-verdict-bad = Mauvais
health-about-records = Enregistrements
health-about-return-path = Adresse de retour
health-about-policy = Politique DMARC
health-about-alignment = DMARC, vu par les destinataires
health-about-bounces = Rebonds permanents
health-about-complaints = Plaintes
health-about-blocklist = Listes noires
health-records-right = Tous les enregistrements obligatoires sont là, et le courrier est signé.
health-records-unsigned = L’exploitant se porte garant du domaine, mais ses enregistrements ne sont pas tous là : le courrier part sans signature.
health-records-lost = Un enregistrement obligatoire a disparu : le courrier est encore accepté pendant 72 heures.
health-records-missing = Il manque des enregistrements obligatoires : le courrier est refusé.
health-return-path-right = Elle est correcte : les rebonds et rapports tardifs parviennent au relais.
health-return-path-missing = Elle n’est pas correcte : les rebonds et rapports tardifs ne parviennent pas au relais.
health-policy-unknown = On ne sait pas encore quelle politique s’applique.
health-policy-broken = L’enregistrement DMARC contient une erreur.
health-policy-absent = Il n’y en a pas : les grands fournisseurs refusent alors les envois en nombre.
health-policy-open = Elle ne demande encore rien (p=none).
health-policy-strict = Elle écarte le courrier qui échoue.
health-alignment-unknown = Courriels signalés : { $of }. C’est trop peu pour conclure.
health-alignment-own = Courriels de ce relais qui n’ont pas été reconnus : { $count }.
health-alignment-others = { $count } courriels sur { $of } portant ce domaine n’ont pas été reconnus.
health-alignment-good = { $count } courriels sur { $of } portant ce domaine ont été reconnus.
health-bounces-few = Destinataires dont le sort est connu : { $of }. C’est trop peu pour un taux.
health-bounces-good = Rebonds : { $count } pour { $of } destinataires, soit { $rate }.
health-bounces-watch = Rebonds : { $count } pour { $of } destinataires, soit { $rate } : c’est beaucoup.
health-bounces-bad = Rebonds : { $count } pour { $of } destinataires, soit { $rate } : c’est trop.
health-complaints-few = Destinataires livrés : { $of }. C’est trop peu pour un taux. Plaintes : { $count }.
health-complaints-good = Plaintes : { $count } pour { $of } destinataires livrés, soit { $rate }.
health-complaints-watch = Plaintes : { $count } pour { $of } destinataires livrés, soit { $rate } : c’est beaucoup.
health-complaints-bad = Plaintes : { $count } pour { $of } destinataires livrés, soit { $rate } : c’est trop.
health-blocklist-listed = { $name } figure sur la liste { $list }.
health-blocklist-clean = Aucune des listes consultées ne contient une adresse du relais, ni le domaine.
health-do-records-unsigned = Publiez les enregistrements affichés à la page du domaine, puis appuyez sur « Vérifier maintenant ».
health-do-records-lost = Publiez de nouveau l’enregistrement manquant, puis appuyez sur « Vérifier maintenant ».
health-do-records-missing = Publiez les enregistrements affichés à la page du domaine.
health-do-return-path-missing = Publiez l’adresse de retour affichée à la page du domaine.
health-do-policy-unknown = Appuyez sur « Vérifier maintenant » à la page du domaine.
health-do-policy-broken = Corrigez ce que signale la page du domaine.
health-do-policy-absent = Publiez l’enregistrement DMARC conseillé à la page du domaine.
health-do-policy-open = Dès que tout votre courrier est reconnu, demandez davantage : p=quarantine, puis p=reject.
health-do-alignment-unknown = Faites envoyer les rapports à l’adresse affichée à la page des rapports DMARC.
health-do-alignment-own = Vérifiez que chaque enregistrement du domaine est trouvé.
health-do-alignment-others = Voyez d’où ils viennent. Faites signer vos propres services sous le domaine ; si quelqu’un l’usurpe, demandez une politique plus stricte.
health-do-bounces-watch = N’écrivez qu’aux adresses données par leurs titulaires, et retirez celles qui rebondissent.
health-do-bounces-bad = N’utilisez plus de vieilles listes : n’écrivez qu’aux adresses données par leurs titulaires, et retirez celles qui rebondissent.
health-do-complaints-watch = N’envoyez que ce qui a été demandé, et permettez le désabonnement en un clic.
health-do-complaints-bad = N’envoyez plus rien à qui ne l’a pas demandé, et permettez aux autres de se désabonner en un clic.
health-do-blocklist-listed = Prévenez l’exploitant du relais. Il faut d’abord trouver la cause ; le responsable de la liste retire ensuite l’entrée.
