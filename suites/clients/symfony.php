<?php
// Symfony Mailer, as Laravel uses it.
use Symfony\Component\Mailer\Transport;
use Symfony\Component\Mime\Address;
use Symfony\Component\Mime\Email;

require '/usr/share/php/Symfony/Component/Mailer/autoload.php';
require '/usr/share/php/Symfony/Component/Mime/autoload.php';

$scheme = getenv('MAILER_TLS') === 'tls' ? 'smtps' : 'smtp';
$transport = Transport::fromDsn(sprintf(
    '%s://%s:%s@%s:%s',
    $scheme,
    getenv('MAILER_USERNAME'),
    getenv('MAILER_PASSWORD'),
    getenv('MAILER_HOST'),
    getenv('MAILER_PORT')
));
$transport->getStream()->setStreamOptions(['ssl' => ['cafile' => getenv('MAILER_CA')]]);
$email = (new Email())
    ->from(new Address(getenv('MAILER_FROM'), 'Ann Sender'))
    ->to(...explode(' ', getenv('MAILER_TO')))
    ->subject(getenv('MAILER_SUBJECT'))
    ->text(file_get_contents(getenv('MAILER_TEXT')))
    ->attachFromPath(getenv('MAILER_ATTACHMENT'), 'data.bin', 'application/octet-stream');
echo $transport->send($email)->getDebug();
