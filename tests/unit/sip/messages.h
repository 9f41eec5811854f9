/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIP_MESSAGES_H
#define SIP_MESSAGES_H

/** Messages that tests, fuzz corpora and benchmark share. */

/* clang-format off */

/** REGISTER of JsSIP 3.13 over WSS. The token is an example; its signature signs nothing. */
#define JSSIP_REGISTER \
	"REGISTER sip:example.test SIP/2.0\r\n" \
	"Via: SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bK4563742\r\n" \
	"Max-Forwards: 69\r\n" \
	"To: <sip:alice@example.test>\r\n" \
	"From: <sip:alice@example.test>;tag=v1vr0ckug8\r\n" \
	"Call-ID: 2aq40ot07ov2fs5490acqa\r\n" \
	"CSeq: 1 REGISTER\r\n" \
	"Authorization: Bearer eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Ind3c2YtMSJ9.e" \
	"yJpc3MiOiJodHRwczovL3d3c2YuZXhhbXBsZS50ZXN0Iiwic3ViIjoiYWxpY2UiLCJhdWQiOiJzaXA6Z" \
	"XhhbXBsZS50ZXN0IiwiZXhwIjoxOTAwMDAwMDAwLCJpbXB1Ijoic2lwOmFsaWNlQGV4YW1wbGUudGVzd" \
	"CJ9._ZiJWfTBg4Ryhty--SGttk5PcYle-7IOVAyPd5Ye_2FQgXioqP1KGXhfakVrEkfOMdG5jVac3Zwd" \
	"6ZFtkkWs7g\r\n" \
	"Expires: 600\r\n" \
	"Contact: <sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws>;+sip.ice;reg-id=1;+sip" \
	".instance=\"<urn:uuid:dacc2777-085b-4952-83a1-fd586f2f5565>\";expires=600\r\n" \
	"Allow: INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,REFER,INFO,NOTIFY,SUBSCRIBE\r\n" \
	"Supported: path,gruu,outbound\r\n" \
	"User-Agent: JsSIP 3.13.8\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

/** REGISTER of SIP.js 0.21 over WSS: other order, lists with spaces, no Expires. */
#define SIPJS_REGISTER \
	"REGISTER sip:example.test SIP/2.0\r\n" \
	"Via: SIP/2.0/WSS t2nsfi2bgmd9.invalid;branch=z9hG4bK5250011\r\n" \
	"To: <sip:alice@example.test>\r\n" \
	"From: <sip:alice@example.test>;tag=8caorcu35m\r\n" \
	"CSeq: 2 REGISTER\r\n" \
	"Call-ID: d5783nbqbti5kn4jnvcg\r\n" \
	"Max-Forwards: 70\r\n" \
	"Authorization: Bearer eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Ind3c2YtMSJ9.e" \
	"yJpc3MiOiJodHRwczovL3d3c2YuZXhhbXBsZS50ZXN0Iiwic3ViIjoiYWxpY2UiLCJhdWQiOiJzaXA6Z" \
	"XhhbXBsZS50ZXN0IiwiZXhwIjoxOTAwMDAwMDAwLCJpbXB1Ijoic2lwOmFsaWNlQGV4YW1wbGUudGVzd" \
	"CJ9._ZiJWfTBg4Ryhty--SGttk5PcYle-7IOVAyPd5Ye_2FQgXioqP1KGXhfakVrEkfOMdG5jVac3Zwd" \
	"6ZFtkkWs7g\r\n" \
	"Contact: <sip:l45tahiv@t2nsfi2bgmd9.invalid;transport=ws>;reg-id=1;+sip.instance" \
	"=\"<urn:uuid:accadba3-4e4a-42e7-9b75-5998a4ecbfb1>\";expires=600\r\n" \
	"Allow: ACK,CANCEL,INVITE,MESSAGE,BYE,OPTIONS,INFO,NOTIFY,REFER\r\n" \
	"Supported: outbound, path, gruu\r\n" \
	"User-Agent: SIP.js/0.21.1\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

/** Page-mode MESSAGE (after RFC 3428 10). */
#define TEXT_MESSAGE \
	"MESSAGE sip:bob@example.test SIP/2.0\r\n" \
	"Via: SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bK776asdhds\r\n" \
	"Max-Forwards: 70\r\n" \
	"To: \"Bob\" <sip:bob@example.test>\r\n" \
	"From: \"Alice\" <sip:alice@example.test>;tag=49583\r\n" \
	"Call-ID: asd88asd77a@v5e0bm0sd9mg.invalid\r\n" \
	"CSeq: 1 MESSAGE\r\n" \
	"Content-Type: text/plain\r\n" \
	"Content-Length: 20\r\n" \
	"\r\n" \
	"Watson, come here.\r\n"

/** 200 to a REGISTER as an IMS core answers it. */
#define REGISTER_OK \
	"SIP/2.0 200 OK\r\n" \
	"Via: SIP/2.0/TCP 192.0.2.10:5070;branch=z9hG4bKmw95\r\n" \
	"Via: SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bK4563742\r\n" \
	"To: <sip:alice@example.test>;tag=2493k59kd\r\n" \
	"From: <sip:alice@example.test>;tag=v1vr0ckug8\r\n" \
	"Call-ID: 2aq40ot07ov2fs5490acqa\r\n" \
	"CSeq: 1 REGISTER\r\n" \
	"Contact: <sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws>;reg-id=1;+sip.instance" \
	"=\"<urn:uuid:dacc2777-085b-4952-83a1-fd586f2f5565>\";expires=600\r\n" \
	"Path: <sip:Ft1.AAECAwQFBgcICQoL@ep1.example.test;lr;ob>\r\n" \
	"Service-Route: <sip:orig@scscf1.example.test;lr>\r\n" \
	"P-Associated-URI: <sip:alice@example.test>, <tel:+15551230000>\r\n" \
	"P-Charging-Vector: icid-value=\"ep1-95\";icid-generated-at=192.0.2.10;orig-ioi=\"" \
	"example.test\"\r\n" \
	"Require: outbound\r\n" \
	"Supported: path, outbound\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

/** INVITE in the manner of RFC 3665 3.1, with a short body. */
#define PLAIN_INVITE \
	"INVITE sip:bob@biloxi.com SIP/2.0\r\n" \
	"Via: SIP/2.0/TCP client.atlanta.example.com:5060;branch=z9hG4bK74bf9\r\n" \
	"Max-Forwards: 70\r\n" \
	"From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n" \
	"To: Bob <sip:bob@biloxi.example.com>\r\n" \
	"Call-ID: 3848276298220188511@atlanta.example.com\r\n" \
	"CSeq: 1 INVITE\r\n" \
	"Contact: <sip:alice@client.atlanta.example.com;transport=tcp>\r\n" \
	"Content-Type: application/sdp\r\n" \
	"Content-Length: 26\r\n" \
	"\r\n" \
	"v=0\r\n" \
	"o=alice 2890 IN IP4\r\n"

/** "A Short Tortuous INVITE", RFC 4475 3.1.1.1. */
#define TORTUOUS_INVITE \
	"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n" \
	"TO :\r\n" \
	" sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n" \
	"from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n" \
	"  ;\r\n" \
	"  tag = 98asjd8\r\n" \
	"MaX-fOrWaRdS: 0068\r\n" \
	"Call-ID: wsinv.ndaksdj@192.0.2.1\r\n" \
	"Content-Length   : 150\r\n" \
	"cseq: 0009\r\n" \
	"  INVITE\r\n" \
	"Via  : SIP  /   2.0\r\n" \
	" /UDP\r\n" \
	"    192.0.2.2;branch=390skdjuw\r\n" \
	"s :\r\n" \
	"NewFangledHeader:   newfangled value\r\n" \
	" continued newfangled value\r\n" \
	"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n" \
	"Content-Type: application/sdp\r\n" \
	"Route:\r\n" \
	" <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n" \
	"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n" \
	"  branch  =   z9hG4bK9ikj8  ,\r\n" \
	" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n" \
	" z9hG4bK30239\r\n" \
	"m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n" \
	"      newvalue ;\r\n" \
	"  secondparam ; q = 0.33\r\n" \
	"\r\n" \
	"v=0\r\n" \
	"o=mhandley 29739 7272939 IN IP4 192.0.2.3\r\n" \
	"s=-\r\n" \
	"c=IN IP4 192.0.2.4\r\n" \
	"t=0 0\r\n" \
	"m=audio 49217 RTP/AVP 0 12\r\n" \
	"m=video 3227 RTP/AVP 31\r\n" \
	"a=rtpmap:31 LPC\r\n"

/* clang-format on */

#endif
