<?php
/* Plugin Name: Send through Envoi */
add_action( 'phpmailer_init', function ( $mail ) {
    $mail->isSMTP();
    $mail->Host       = '{{host}}';
    $mail->Port       = {{port}};
{{starttls}}    $mail->SMTPSecure = 'tls';
{{tls}}    $mail->SMTPSecure = 'ssl';
{{own}}    $mail->SMTPOptions = array( 'ssl' => array( 'cafile' => '{{authority}}' ) );
    $mail->SMTPAuth   = true;
    $mail->Username   = '{{user}}';
    $mail->Password   = '{{password}}';
    $mail->Sender     = '{{from}}';
} );
add_filter( 'wp_mail_from', function () { return '{{from}}'; } );
