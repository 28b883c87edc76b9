// Nodemailer; found by NODE_PATH.
const fs = require('fs')
const nodemailer = require('nodemailer')
const env = process.env

const transport = nodemailer.createTransport({
  host: env.MAILER_HOST,
  port: Number(env.MAILER_PORT),
  secure: env.MAILER_TLS === 'tls',
  requireTLS: true,
  auth: { user: env.MAILER_USERNAME, pass: env.MAILER_PASSWORD },
  tls: { ca: fs.readFileSync(env.MAILER_CA) },
})
transport
  .sendMail({
    from: { name: 'Ann Sender', address: env.MAILER_FROM },
    to: env.MAILER_TO.split(' '),
    subject: env.MAILER_SUBJECT,
    text: fs.readFileSync(env.MAILER_TEXT, 'utf8'),
    attachments: [{ filename: 'data.bin', content: fs.readFileSync(env.MAILER_ATTACHMENT) }],
  })
  .then((info) => console.log(info.response))
  .catch((error) => {
    console.error(error)
    process.exitCode = 1
  })
