# Makes the gateway of compose.yaml from nginx.conf: the services instead of local ports, and no TLS.
s/127\.0\.0\.1:8081/edge-1:8080/
s/127\.0\.0\.1:8082/edge-2:8080/
s/127\.0\.0\.1:8083/rides:8080/
s/127\.0\.0\.1:8084/ops:8080/
/listen 443/d
/ssl_/d
