#!/bin/sh
# Installs the typefaces that the recipes of the default models draw with (Debian; needs root).
# The specimens of TeX Live come as one big package: only its font files are unpacked, into a scratch folder here.
set -eu
cd "$(dirname "$0")"
apt-get install -qy --no-install-recommends \
    fonts-adf-accanthis fonts-adf-baskervald fonts-adf-berenis fonts-adf-romande fonts-arapey fonts-blankenburg fonts-breip \
    fonts-cardo fonts-century-catalogue fonts-cmu fonts-compagnon fonts-croscore fonts-crosextra-caladea \
    fonts-crosextra-carlito fonts-dancingscript fonts-dejavu-core fonts-ebgaramond fonts-ebgaramond-extra fonts-elstob fonts-essays1743 \
    fonts-fanwood fonts-freefont-ttf fonts-gamaliel fonts-georgewilliams fonts-gfs-artemisia fonts-gfs-baskerville \
    fonts-gfs-bodoni-classic fonts-gfs-didot fonts-gfs-neohellenic fonts-gfs-olga fonts-gfs-porson fonts-gnutypewriter \
    fonts-gotico-antiqua fonts-goudybookletter fonts-isabella fonts-junicode fonts-kristi fonts-lato fonts-levien-museum fonts-liberation \
    fonts-lindenhill fonts-linuxlibertine fonts-oldstandard fonts-open-sans fonts-prociono fonts-quattrocento fonts-rufscript \
    fonts-sil-charis fonts-sil-galatia fonts-sil-gentium fonts-sil-gentium-basic fonts-sjfonts fonts-stix fonts-texgyre fonts-urw-base35
mkdir -p work/fonts
if [ -z "$(ls work/fonts)" ]; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    (cd "$scratch" && apt-get download texlive-fonts-extra)
    dpkg-deb --fsys-tarfile "$scratch"/texlive-fonts-extra*.deb |
        tar -x -C work/fonts --wildcards --no-anchored --transform 's|.*/||' '*.otf' '*.ttf'
fi
