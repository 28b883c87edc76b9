{{own}}import { readFileSync } from 'node:fs';
import nodemailer from 'nodemailer';

const transport = nodemailer.createTransport({
  host: '{{host}}',
  port: {{port}},
{{starttls}}  secure: false,
{{starttls}}  requireTLS: true,
{{tls}}  secure: true,
{{own}}  tls: { ca: readFileSync('{{authority}}') },
  auth: { user: '{{user}}', pass: '{{password}}' },
});

const sent = await transport.sendMail({
  from: '{{from}}',
  to: '{{to}}',
  subject: '{{subject}}',
  text: '{{body}}',
});
console.log(sent.response);
