//! Reports as receivers write them, and as nobody should.

use super::opened::tests::{gzip, zip};
use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const MAX: u64 = 1_000_000;

fn record(source: &str, count: &str, evaluated: &str, from: &str) -> String {
    format!(
        "<record><row><source_ip>{source}</source_ip><count>{count}</count><policy_evaluated>{evaluated}</policy_evaluated>\
         </row><identifiers><header_from>{from}</header_from></identifiers><auth_results><spf><domain>{from}</domain>\
         <result>pass</result></spf></auth_results></record>"
    )
}

fn report(records: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<feedback><report_metadata><org_name>Mail &amp; More</org_name>\
         <email>dmarc@isp.example</email><report_id>42.7</report_id><date_range><begin>1795910400</begin>\
         <end>1795996799</end></date_range></report_metadata><policy_published><domain>Shop.Example</domain>\
         <adkim>r</adkim><p>none</p></policy_published>{records}</feedback>\n"
    )
}

const PASSES: &str = "<disposition>none</disposition><dkim>pass</dkim><spf>fail</spf>";

fn mail(attachment: &[u8], media_type: &str) -> Vec<u8> {
    let encoded = STANDARD.encode(attachment);
    let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!(
        "From: dmarc@isp.example\r\nSubject: Report domain: shop.example\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n<b>see below</b>\r\n\
         --b\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        lines.join("\r\n")
    )
    .into_bytes()
}

#[test]
fn a_report_is_found_in_each_form() {
    let document = report(&record("192.0.2.1", "3", PASSES, "shop.example"));
    let whole = read_attachment(document.as_bytes(), MAX).unwrap();
    let (reporter, id, domain) = (whole.reporter.as_str(), whole.id.as_str(), whole.domain.as_str());
    assert_eq!((reporter, id, domain, whole.policy.as_str()), ("Mail & More", "42.7", "shop.example", "none"));
    assert_eq!((whole.begins_seconds, whole.ends_seconds, whole.left_out), (1_795_910_400, 1_795_996_799, 0));
    let row = Row {
        source: "192.0.2.1".parse().unwrap(),
        from: "shop.example".into(),
        dkim: true,
        spf: false,
        disposition: Disposition::None,
        messages: 3,
    };
    assert_eq!(whole.rows, [row]);
    let octets = document.as_bytes();
    for (attachment, media_type) in [
        (gzip(octets), "application/gzip"),
        (zip(octets, false), "application/zip; name=a.zip"),
        (zip(octets, true), "application/octet-stream"),
        (octets.to_vec(), "text/xml"),
    ] {
        assert_eq!(read(&mail(&attachment, media_type), MAX).unwrap(), whole, "{media_type}");
    }
    let alone = format!(
        "From: a@isp.example\r\nContent-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        STANDARD.encode(gzip(octets))
    );
    assert_eq!(read(alone.as_bytes(), MAX).unwrap(), whole);
}

#[test]
fn rows_of_a_kind_are_one() {
    let rejected = "<disposition>REJECT</disposition><dkim>fail</dkim><spf>fail</spf>";
    let records = [
        record("192.0.2.1", "3", PASSES, "shop.example"),
        record("::ffff:192.0.2.1", "4", PASSES, "SHOP.example."),
        record("2001:db8::1", "99999999999999999999", rejected, "news.shop.example"),
        // what does not say where from or how many is none
        record("nowhere", "3", PASSES, "shop.example"),
        record("192.0.2.2", "-3", PASSES, "shop.example"),
    ];
    let rows = read_attachment(report(&records.concat()).as_bytes(), MAX).unwrap().rows;
    let told: Vec<_> = rows.iter().map(|row| (row.source.to_string(), row.messages, row.disposition)).collect();
    let first = ("192.0.2.1".to_owned(), 7, Disposition::None);
    assert_eq!(told, [first, ("2001:db8::1".to_owned(), MESSAGES_MAX, Disposition::Reject)]);
}

#[test]
fn of_too_many_rows_the_messages_are_counted() {
    let address = |number: usize| format!("10.0.{}.{}", number / 256, number % 256);
    let records: String = (0..ROWS_MAX + 10).map(|number| record(&address(number), "2", PASSES, "a.example")).collect();
    let read = read_attachment(report(&records).as_bytes(), 10_000_000).unwrap();
    assert_eq!((read.rows.len(), read.left_out), (ROWS_MAX, 20));
}

#[test]
fn the_newer_form_with_its_name_space_is_read() {
    let document = report(&record("192.0.2.1", "3", PASSES, "shop.example"));
    let document = document.replace("<feedback>", "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">");
    assert_eq!(read_attachment(document.as_bytes(), MAX).unwrap().rows.len(), 1);
}

#[test]
fn what_is_no_report_is_told() {
    let whole = report("");
    assert_eq!(read(b"Subject: x\r\n\r\n<feedback/>", MAX), Err(Fault::Missing));
    assert_eq!(read(&mail(b"%PDF", "application/pdf"), MAX), Err(Fault::Missing));
    assert_eq!(read(&mail(b"\x1f\x8bnothing", "application/gzip"), MAX), Err(Fault::Damaged));
    let attachment = |text: &str| read_attachment(text.as_bytes(), MAX);
    assert_eq!(attachment("<html></html>"), Err(Fault::Incomplete));
    assert_eq!(attachment(&whole.replace("<report_id>42.7</report_id>", "")), Err(Fault::Incomplete));
    assert_eq!(attachment(&whole.replace("Shop.Example", "a b")), Err(Fault::Incomplete));
    assert_eq!(attachment(&whole.replace("1795910400", "yesterday")), Err(Fault::Incomplete));
    assert_eq!(attachment(&whole[..whole.len() - 3]), Err(Fault::Markup));
    assert_eq!(attachment(&format!("<!DOCTYPE feedback>{whole}")), Err(Fault::Markup));
    let bomb = format!("{}{}", " ".repeat(2_000_000), whole);
    assert_eq!(read_attachment(&gzip(format!("<?xml?>{bomb}").as_bytes()), MAX), Err(Fault::TooLarge));
}
