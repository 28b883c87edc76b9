// JavaMail, as Spring uses it. Trusts what javax.net.ssl.trustStore holds.
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import javax.mail.Address;
import javax.mail.Message;
import javax.mail.Session;
import javax.mail.internet.InternetAddress;
import javax.mail.internet.MimeBodyPart;
import javax.mail.internet.MimeMessage;
import javax.mail.internet.MimeMultipart;

public class JavaMail {
    public static void main(String[] arguments) throws Exception {
        var env = System.getenv();
        var properties = new Properties();
        var protocol = env.get("MAILER_TLS").equals("tls") ? "smtps" : "smtp";
        properties.put("mail." + protocol + ".auth", "true");
        properties.put("mail.smtp.starttls.required", "true");
        properties.put("mail.smtp.starttls.enable", "true");
        properties.put("mail." + protocol + ".ssl.checkserveridentity", "true");
        var session = Session.getInstance(properties);
        var message = new MimeMessage(session);
        message.setFrom(new InternetAddress(env.get("MAILER_FROM"), "Ann Sender"));
        for (var recipient : env.get("MAILER_TO").split(" ")) {
            message.addRecipient(Message.RecipientType.TO, new InternetAddress(recipient));
        }
        message.setSubject(env.get("MAILER_SUBJECT"), "utf-8");
        var text = new MimeBodyPart();
        text.setText(Files.readString(Path.of(env.get("MAILER_TEXT"))), "utf-8");
        var attachment = new MimeBodyPart();
        attachment.attachFile(new File(env.get("MAILER_ATTACHMENT")));
        attachment.setFileName("data.bin");
        message.setContent(new MimeMultipart(text, attachment));
        message.saveChanges();
        var transport = (com.sun.mail.smtp.SMTPTransport) session.getTransport(protocol);
        try (transport) {
            transport.connect(
                env.get("MAILER_HOST"), Integer.parseInt(env.get("MAILER_PORT")),
                env.get("MAILER_USERNAME"), env.get("MAILER_PASSWORD"));
            transport.sendMessage(message, message.getAllRecipients());
            System.out.println(transport.getLastServerResponse());
        }
    }
}
