<?php
// PHPMailer, as WordPress uses it.
use PHPMailer\PHPMailer\PHPMailer;

require '/usr/share/php/libphp-phpmailer/autoload.php';

$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->Host = getenv('MAILER_HOST');
$mail->Port = (int) getenv('MAILER_PORT');
$mail->SMTPAuth = true;
$mail->Username = getenv('MAILER_USERNAME');
$mail->Password = getenv('MAILER_PASSWORD');
$mail->SMTPSecure = getenv('MAILER_TLS') === 'tls' ? PHPMailer::ENCRYPTION_SMTPS : PHPMailer::ENCRYPTION_STARTTLS;
$mail->SMTPOptions = ['ssl' => ['cafile' => getenv('MAILER_CA')]];
$mail->CharSet = PHPMailer::CHARSET_UTF8;
$mail->setFrom(getenv('MAILER_FROM'), 'Ann Sender');
foreach (explode(' ', getenv('MAILER_TO')) as $recipient) {
    $mail->addAddress($recipient);
}
$mail->Subject = getenv('MAILER_SUBJECT');
$mail->Body = file_get_contents(getenv('MAILER_TEXT'));
$mail->addAttachment(getenv('MAILER_ATTACHMENT'), 'data.bin');
$mail->send();
// what PHPMailer itself parses out of the reply
echo 'queued as ', $mail->getSMTPInstance()->getLastTransactionID(), "\n";
