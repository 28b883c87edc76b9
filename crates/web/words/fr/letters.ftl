# Ce que le relais écrit aux personnes en français. Chaque message a son jumeau du même nom sous en/.

letter-blocklist-account = Les destinataires qui consultent cette liste peuvent refuser les courriels du domaine ou les tenir pour indésirables. L’activité montre ce qui a été refusé et pourquoi ; la page Santé du domaine montre ce que disent les listes à présent. Mettez d’abord fin à ce qui en est la cause, puis demandez au responsable de la liste de retirer l’entrée.
letter-blocklist-gone =
    La liste noire { $list } ne contient plus :

    { $gone }
letter-blocklist-gone-subject = { $place } : retrait de la liste noire { $list }
letter-blocklist-listed =
    La liste noire { $list } contient désormais :

    { $names }
letter-blocklist-operator = Les destinataires qui consultent cette liste peuvent refuser les courriels ou les tenir pour indésirables. Cherchez-en la cause (l’activité et les rebonds de chaque compte), mettez-y fin, puis demandez au responsable de la liste de retirer l’entrée. Une liste donne lieu à un courriel par jour au plus ; le journal du relais contient chaque changement, les métriques l’état présent.
letter-blocklist-subject = { $place } : inscription sur la liste noire { $list }
letter-certificate = Le certificat de { $names } sur { $host } expire le { $ends } (UTC). Passé ce moment, plus aucune application qui vérifie les certificats ne se connectera.
letter-certificate-ended = Plus aucune application qui vérifie les certificats ne se connecte à { $host } : le certificat de { $names } a expiré, ou bien aucun n’est encore arrivé et le relais présente jusqu’au { $ends } (UTC) un certificat provisoire, auquel personne ne fait confiance.
letter-certificate-ended-subject = { $host } : les applications refusent le certificat
letter-certificate-fault = Le relais en commande un nouveau de lui-même, mais la dernière commande a échoué : { $fault }. Il continue d’essayer ; la console montre où il en est, sous Certificats.
letter-certificate-renew = Renouvelez-le : un nouveau fichier au même endroit est pris en compte en quelques secondes. La console indique ce fichier, sous Certificats.
letter-certificate-subject = { $host } : le certificat expire bientôt
letter-forgotten = Quelqu’un, vous sans doute, a demandé un nouveau mot de passe pour la console.
letter-forgotten-subject = Nouveau mot de passe pour la console d’Envoi
letter-given = Un administrateur de { $place } a créé pour vous un lien qui permet de choisir un nouveau mot de passe pour la console.
letter-greeting = Bonjour { $name },
letter-invitation = Vous avez été ajouté à { $place } dans la console d’Envoi, qui montre ce qu’il est advenu de chaque message envoyé. Choisissez un mot de passe pour y entrer.
letter-invitation-subject = Votre accès à { $place }
letter-link =
    Ouvrez ce lien. Il ne sert qu’une fois, jusqu’au { $until } ({ $zone }) :

    { $url }
letter-signature =
    --{" "}
    Envoi
letter-unexpected = Si vous ne vous y attendiez pas, ne faites rien : sans le lien, rien ne change.
letter-quota = { $account } a envoyé à { $used } des { $quota } destinataires de cette période.
letter-quota-full = Tout autre destinataire est refusé avec « 452 4.7.1 » jusqu’au { $day } ({ $zone }), début de la prochaine période. Les applications qui réessaient plus tard livreront alors leurs messages. S’il vous en faut davantage d’ici là, demandez un autre forfait à la page Tarifs.
letter-quota-full-subject = { $account } : le quota est épuisé
letter-quota-near = Une fois le quota épuisé, tout autre destinataire sera refusé jusqu’au { $day } ({ $zone }), début de la prochaine période. Si cela ne suffit pas, demandez un autre forfait à la page Tarifs.
letter-quota-subject = { $account } : { $percent } du quota est utilisé
letter-test = voici le courriel d’essai que vous avez demandé. Il est parti de { $domain } au nom de l’utilisateur SMTP « { $user } », par le chemin qu’emprunte le courrier de vos applications.
letter-test-seen = Si vous le lisez, c’est que la voie est libre. S’il se trouvait parmi les indésirables, vérifiez dans la console les enregistrements du domaine.
letter-test-subject = Courriel d’essai de { $domain }
letter-plan-answer-here =
    Pour y répondre :

    { $url }
letter-plan-approved = L’exploitant du relais a approuvé le forfait { $plan } pour { $account }. Il est en vigueur dès maintenant. Les envois de la période en cours restent comptés.
letter-plan-approved-later = L’exploitant du relais a approuvé le forfait { $plan } pour { $account }. Il commence le { $day } ({ $zone }), avec la prochaine période. D’ici là, rien ne change.
letter-plan-approved-subject = { $account } : le forfait { $plan } est approuvé
letter-plan-asked = { $who } demande le forfait { $plan } pour { $account }.
letter-plan-asked-subject = { $account } demande le forfait { $plan }
letter-plan-cancel-approved = L’exploitant du relais a approuvé la résiliation du forfait de { $account }. Il prend fin le { $day } ({ $zone }) : à partir de ce jour, les applications ne peuvent plus se connecter. Les messages déjà acceptés sont encore livrés.
letter-plan-cancel-approved-subject = { $account } : la résiliation est approuvée
letter-plan-cancel-asked = { $who } demande la résiliation du forfait de { $account }.
letter-plan-cancel-asked-subject = { $account } demande la résiliation de son forfait
letter-plan-cancel-declined = L’exploitant du relais a refusé la résiliation du forfait de { $account }. Rien ne change.
letter-plan-cancel-declined-subject = { $account } : la résiliation est refusée
letter-plan-declined = L’exploitant du relais a refusé le forfait { $plan } pour { $account }. Rien ne change.
letter-plan-declined-subject = { $account } : le forfait { $plan } est refusé
letter-plan-message =
    Le message :

    { $message }
letter-plan-page =
    Forfait et quota :

    { $url }
letter-brake-account = Le frein automatique s’est activé pour tout le compte { $account } (référence { $reference }).
letter-brake-release = Vérifiez ce qui a été envoyé. Si ce n’était pas vous, réinitialisez d’abord le mot de passe de l’utilisateur SMTP. Levez ensuite le frein ici : { $url }
letter-brake-release-operator = Vérifiez ce qui a été envoyé. Si ce n’était pas vous, le mot de passe doit d’abord être réinitialisé. L’exploitant du relais lève le frein.
letter-brake-subject = { $account } : le frein automatique est actif
letter-brake-then = D’ici là, les nouveaux courriels reçoivent la réponse « 450 4.7.1 » ; les applications dotées d’une file d’attente réessaient d’elles-mêmes. Ce qui attend dans la file est retenu : rien n’expire et rien n’est perdu.
letter-brake-user = Le frein automatique s’est activé pour l’utilisateur SMTP « { $user } » de { $account } (référence { $reference }).
letter-plan-reason =
    Le motif :

    { $reason }
