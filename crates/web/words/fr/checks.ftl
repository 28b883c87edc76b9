# Ce que les vérifications ont trouvé. En anglais, le relais le dit lui-même (`said!` de `envoi/src/doctor`) : ce fichier n’a pas de jumeau.
# found-… : le constat ; remedy-… : ce qu’il faut faire, là où cela en dit plus que le conseil général.

found-activity-behind = L’activité a { $megabytes } Mo de retard.
remedy-activity-behind = Le disque est trop lent pour ce qu’il a à faire, ou autre chose l’occupe.
found-activity-stopped = Le relais ne tient plus l’activité à jour : { $why }
remedy-activity-stopped = Le courrier continue de circuler. Examinez le disque, puis redémarrez : la lecture reprendra là où elle s’est arrêtée.
found-addresses-crowd = { $address } porte { $count } des { $all } connexions.
remedy-addresses-crowd = S’il s’agit d’un répartiteur de charge, faites-lui envoyer des en-têtes PROXY et nommez-le dans « proxy_networks » ; s’il s’agit d’une passerelle, nommez-la dans « shared_networks ». Sinon, une seule erreur pourrait bloquer tous ceux qui se trouvent derrière.
found-blocks-none = Aucune adresse n’est bloquée.
found-blocks-some = Adresses bloquées après des échecs de connexion : { $count }.
found-certificate-days = Pour { $names } ; jours restants : { $days }.
found-certificate-to-come = Aucun n’est encore arrivé pour { $names } : un certificat provisoire, qu’aucune application n’accepte, le remplace.
remedy-certificate-to-come = La page des certificats dit pourquoi la dernière commande a échoué.
found-clock-back = Il est { $time } ici, et le dossier des données a été écrit { $count } { $unit ->
    [seconds] secondes
    [minutes] minutes
    [hours] heures
   *[days] jours
} plus tard.
remedy-clock-back = L’horloge a été reculée : assurez-vous qu’elle est juste (« timedatectl »).
found-clock-is = { $time }
found-clock-past = Il est { $time } ici, ce qui est passé depuis longtemps.
remedy-clock-past = Réglez l’horloge : « timedatectl set-ntp true ».
found-disk-free = { $free } Mo libres dans { $folder }.
found-disk-low = { $free } Mo libres dans { $folder }.
remedy-disk-low = Libérez de l’espace à temps : sinon, les nouveaux messages recevront la réponse 452.
found-disk-short = { $free } Mo libres dans { $folder }.
remedy-disk-short = Il en faut au moins { $needed } ; en deçà, les nouveaux messages reçoivent la réponse 452.
found-disk-unknown = L’espace libre dans { $folder } n’est pas connu : { $error }
found-dns-answers = Le serveur de noms répond ({ $hosts }).
found-dns-silent = Les noms ne peuvent pas être résolus.
remedy-dns-silent = Sans DNS, rien ne peut être remis d’après les MX : voyez « name_servers » sous [delivery], et le pare-feu (port 53, UDP et TCP).
found-dns-silent-routed = Les noms ne peuvent pas être résolus.
remedy-dns-silent-routed = Chaque domaine a une route : le courrier circule quand même.
found-dns-unusable = La résolution de noms n’est pas configurée : { $error }
remedy-dns-unusable = Corrigez /etc/resolv.conf, ou nommez des serveurs de noms par « name_servers » sous [delivery].
found-dnssec-holds = Le serveur de noms transmet des signatures valides : DANE fonctionne.
found-dnssec-missing = Le serveur de noms ne transmet pas de signatures valides, et « dane » est activé : aucun courrier ne part d’après les MX.
remedy-dnssec-missing = Par « name_servers » sous [delivery], nommez un serveur de noms qui transmet les signatures DNSSEC (unbound, sur cette machine), et assurez-vous que l’horloge est juste.
found-dnssec-lost = Le serveur de noms transmettait des signatures valides et n’en transmet plus : aucun courrier ne part d’après les MX.
remedy-dnssec-lost = Par « name_servers » sous [delivery], nommez un serveur de noms qui transmet les signatures DNSSEC (unbound, sur cette machine), et assurez-vous que l’horloge est juste. Si le courrier doit partir sans DANE, redémarrez le relais : avec « dane = "auto" », il vérifie de nouveau.
found-dnssec-none = Le serveur de noms ne transmet pas de signatures valides : le courrier part sans DANE.
remedy-dnssec-none = Par « name_servers » sous [delivery], nommez un serveur de noms qui transmet les signatures DNSSEC (unbound, sur cette machine), et assurez-vous que l’horloge est juste.
found-dnssec-unknown = On ne peut rien en dire : { $error }
remedy-dnssec-unknown = Par « name_servers » sous [delivery], nommez un serveur de noms qui transmet les signatures DNSSEC (unbound, sur cette machine).
found-hostname-is = { $name } mène à { $addresses }.
found-hostname-local = « localhost » n’est pas un nom pour les autres serveurs.
remedy-hostname-local = Donnez une valeur à « hostname » avant que du courrier ne parte vers Internet.
found-hostname-none = { $name } n’a pas d’adresse dans le DNS.
remedy-hostname-none = Publiez un enregistrement A (et AAAA) pour { $name } : beaucoup de serveurs refusent un nom qui n’en a pas.
found-keys-overdue = Domaines qui signent encore avec une clé dont le temps est écoulé, faute de l’enregistrement de la suivante : { $count } (d’abord { $name }).
remedy-keys-overdue = Le courrier n’est pas touché. La page du domaine montre l’enregistrement à publier ; dans une zone que le relais ne sert pas lui-même, c’est à vous de le faire (« envoi zone show »).
found-next-hop-open = { $name } accepte les connexions
found-next-hop-silent = { $name } : { $error }
remedy-next-hop-silent = Le courrier de cette route attend qu’il réponde : vérifiez l’hôte, le port et le pare-feu.
found-not-known = { $asked } : { $error }
remedy-not-known = Le DNS n’a pas répondu : on ne peut rien en dire.
found-port-answers = { $address } répond.
found-port-silent = { $address } ne répond pas.
remedy-port-silent = Le journal du relais en dit la cause ; un pare-feu est peut-être en travers du chemin.
found-relay-runs = En marche depuis { $count } { $unit ->
    [seconds] secondes
    [minutes] minutes
    [hours] heures
   *[days] jours
}.
found-reverse-is = { $address } s’appelle { $name }.
found-reverse-none = { $address } n’a pas de nom inverse.
remedy-reverse-none = Demandez à qui vous a donné { $address } de lui donner { $name } comme nom inverse : beaucoup de serveurs refusent le courrier de qui n’en a pas.
found-reverse-other = { $address } s’appelle { $names }.
remedy-reverse-other = Demandez à qui vous a donné { $address } de lui donner { $name } comme nom inverse : beaucoup de serveurs refusent le courrier de qui en porte un autre.
found-server-says = { $name } dit : { $greeting }
found-spf-is = { $name } : { $text }
found-spf-none = { $name } n’a pas d’enregistrement SPF.
remedy-spf-none = Publiez un enregistrement TXT pour { $name } : { $record }
found-store-damage = Un enregistrement du disque est endommagé : { $damage }
remedy-store-damage = Le reste continue. Examinez le disque, puis arrêtez le relais : « envoi doctor --repair » dit ce qui peut être fait, et le fait.
found-store-full = Il n’y a plus de place pour de nouveaux messages.
remedy-store-full = Libérez de l’espace sur le disque, ou augmentez « spool_max » sous [store].
found-store-latched = Arrêté après une écriture manquée : { $why }
remedy-store-latched = Rien n’est accepté ni remis. Examinez le disque, puis redémarrez : le relais vérifie tout à son démarrage.
found-store-waits = Messages en attente : { $messages } ; destinataires : { $recipients }.
found-way-out-closed = Aucun serveur de courrier sur trois n’a pu être joint ({ $error }).
remedy-way-out-closed = Le port 25 vers l’extérieur semble fermé : demandez à votre fournisseur de l’ouvrir, ou passez par un autre serveur au moyen d’une [[delivery.route]].
found-way-out-untried = Non tenté : aucun nom n’a pu être résolu.
remedy-way-out-untried = Sans DNS, on ne peut pas dire si le courrier peut sortir. Rétablissez-le, puis vérifiez de nouveau.
found-zone-found = { $zone } est visible.
found-zone-none = { $zone } n’existe pas dans le DNS.
remedy-zone-none = Publiez pour { $zone } des enregistrements NS qui nomment { $servers }, et faites en sorte que ces serveurs répondent : la page de la zone montre ce qu’elle contient.
found-zone-unknown = { $zone } : { $error }
remedy-zone-unknown = Assurez-vous que ses serveurs de noms répondent en UDP et en TCP, de l’extérieur : sans eux, aucune signature ne peut être vérifiée.
