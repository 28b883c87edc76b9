# Ce que le relais écrit aux personnes en français. Chaque message a son jumeau du même nom sous en/.

letter-forgotten = Quelqu’un, vous sans doute, a demandé un nouveau mot de passe pour la console.
letter-forgotten-subject = Nouveau mot de passe pour la console d’Envoi
letter-given = Un administrateur de { $place } a créé pour vous un lien qui permet de choisir un nouveau mot de passe pour la console.
letter-greeting = Bonjour { $name },
letter-invitation = Vous avez été ajouté à { $place } dans la console d’Envoi, qui montre ce qu’il est advenu de chaque message envoyé. Choisissez un mot de passe pour y entrer.
letter-invitation-subject = Votre accès à { $place }
letter-link =
    Ouvrez ce lien. Il ne sert qu’une fois, jusqu’au { $until } (UTC) :

    { $url }
letter-signature =
    --{" "}
    Envoi
letter-unexpected = Si vous ne vous y attendiez pas, ne faites rien : sans le lien, rien ne change.
