<?php
use PHPMailer\PHPMailer\PHPMailer;
require 'vendor/autoload.php';

$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->Host       = '{{host}}';
$mail->Port       = {{port}};
{{starttls}}$mail->SMTPSecure = PHPMailer::ENCRYPTION_STARTTLS;
{{tls}}$mail->SMTPSecure = PHPMailer::ENCRYPTION_SMTPS;
{{own}}$mail->SMTPOptions = ['ssl' => ['cafile' => '{{authority}}']];
$mail->SMTPAuth   = true;
$mail->Username   = '{{user}}';
$mail->Password   = '{{password}}';
$mail->CharSet    = PHPMailer::CHARSET_UTF8;

$mail->setFrom('{{from}}');
$mail->addAddress('{{to}}');
$mail->Subject = '{{subject}}';
$mail->Body    = '{{body}}';
$mail->send();
