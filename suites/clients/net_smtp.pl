# Net::SMTP of Perl.
use strict;
use warnings;
use Net::SMTP;

my $smtp = Net::SMTP->new(
    $ENV{MAILER_HOST},
    Port        => $ENV{MAILER_PORT},
    SSL         => $ENV{MAILER_TLS} eq 'tls',
    SSL_ca_file => $ENV{MAILER_CA},
    Timeout     => 30,
) or die "no connection: $@";
if ($ENV{MAILER_TLS} eq 'starttls') {
    $smtp->starttls(SSL_ca_file => $ENV{MAILER_CA}) or die 'no TLS: ' . $smtp->message;
}
$smtp->auth($ENV{MAILER_USERNAME}, $ENV{MAILER_PASSWORD}) or die 'no login: ' . $smtp->message;
open my $file, '<:raw', $ENV{MAILER_MESSAGE} or die $!;
my $message = do { local $/; <$file> };
$smtp->mail($ENV{MAILER_FROM}) or die $smtp->message;
$smtp->to(split / /, $ENV{MAILER_TO}) or die $smtp->message;
$smtp->data($message) or die $smtp->message;
print $smtp->message;
$smtp->quit;
