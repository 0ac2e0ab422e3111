// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
// Colour maps: those of gsttomo.widgets, as tables of 256 colours. tests/web/test_viewer.py compares both.

export const NAMES = ["grey", "inverted", "viridis", "inferno", "magma", "cividis", "rainbow", "blue-red"];

// Red, green and blue, as base64.
const STORED = {
  viridis:
    "RAFURAJWRQRXRQVZRgdaRghcRgpdRgteRw1gRw5hRxBjRxFkRxNlSBRnSBZoSBdpSBhqSBpsSBttSBxuSB1vSB9wSCBxSCFzSCN0SCR1SCV2SCZ3SCh4SCl5Ryp6Ryx6" +
    "Ry17Ry58Ry99RjB+RjJ+RjN/RjSARTWBRTeBRTiCRDmDRDqDRDuEQz2EQz6FQj+FQkCGQkGGQUKHQUSHQEWIQEaIP0eIP0iJPkmJPkqJPkyKPU2KPU6KPE+KPFCLO1GL" +
    "O1KLOlOLOlSMOVWMOVaMOFiMOFmMN1qMN1uNNlyNNl2NNV6NNV+NNGCNNGGNM2KNM2ONMmSOMmWOMWaOMWeOMWiOMGmOMGqOL2uOL2yOLm2OLm6OLm+OLXCOLXGOLHGO" +
    "LHKOLHOOK3SOK3WOKnaOKneOKniOKXmOKXqOKXuOKHyOKH2OJ36OJ3+OJ4COJoGOJoKOJoKOJYOOJYSOJYWOJIaOJIeOI4iOI4mOI4qNIouNIoyNIo2NIY6NIY+NIZCN" +
    "IZGMIJKMIJKMIJOMH5SMH5WLH5aLH5eLH5iLH5mKH5qKHpuKHpyJHp2JH56JH5+IH6CIH6GIH6GHH6KHIKOGIKSGIaWFIaaFIqeFIqiEI6mDJKqDJauCJayCJq2BJ62B" +
    "KK6AKa9/KrB/LLF+LbJ9LrN8L7R8MbV7MrZ6NLZ5Nbd5N7h4OLl3Orp2O7t1Pbx0P7xzQL1yQr5xRL9wRsBvSMFuSsFtTMJsTsNrUMRqUsVpVMVoVsZnWMdlWshkXMhj" +
    "XsliYMpgY8tfZcteZ8xcac1bbM1abs5YcM9Xc9BWddBUd9FTetFRfNJQf9NOgdNNhNRLhtVJidVIi9ZGjtZFkNdDk9dBldhAmNg+m9k8ndk7oNo5oto3pds2qNs0qtwy" +
    "rdwwsN0vst0ttd4ruN4put4ovd8mwN8lwt8jxeAhyOAgyuEfzeEd0OEc0uIb1eIa2OIZ2uMZ3eMY3+MY4uQY5eQZ5+QZ6uUa7OUb7+Uc8eUd9OYe9uYg+OYh++cj/ecl",
  inferno:
    "AAAEAQAFAQEGAQEIAgEKAgIMAgIOAwIQBAMSBAMUBQQXBgQZBwUbCAUdCQYfCgciCwckDAgmDQgpDgkrEAktEQowEgoyFAs0FQs3Fgs5GAw8GQw+GwxBHAxDHgxFHwxI" +
    "IQxKIwxMJAxPJgxRKAtTKQtVKwtXLQtZLwpbMQpcMgpeNApfNglhOAliOQljOwlkPQllPglmQApnQgpoRApoRQppRwtqSQtqSgxrTAxrTQ1sTw1sUQ5sUg5tVA9tVQ9t" +
    "VxBuWRBuWhFuXBJuXRJuXxNuYRNuYhRuZBVuZRVuZxZuaRZuahdubBhubRhubxlucRluchpudBpudRtudxxteBxteh1tfB1tfR5tfx5sgB9sgiBshCBrhSFrhyFriCJq" +
    "iiJqjCNpjSNpjyRpkCVokiVokyZnlSZnlydmmCdmmihlmylknSlknypjoCpjoitioyxhpSxgpi1gqC5fqS5eqy9erTBdrjBcsDFbsTJaszJatDNZtjRYtzVXuTVWujZV" +
    "vDdUvThTvzlSwDpRwTpQwztPxDxOxj1Nxz5MyD9LykBKy0FJzEJIzkNHz0RG0EVF0kZE00dD1EhC1UpB10s/2Ew+2U092k4821A73VE63lI431M34FU24VY14lc041kz" +
    "5Fox5Vww5l0v514u6GAt6WEr6mMq62Qp62Yo7Gcm7Wkl7mok72wj724h8G8g8XEf8XMd8nQc83Yb83gZ9HkY9XsX9X0V9n4U9oAT94IS94QQ+IUP+IcO+IkM+YsL+YwK" +
    "+Y4J+pAI+pIH+pQH+5YG+5cG+5kG+5sG+50H/J8H/KEI/KMJ/KUK/KYM/KgN/KoP/KwR/K4S/LAU/LIW/LQY+7Ya+7gd+7of+7wh+74j+sAm+sIo+sQq+sYt+ccv+cky" +
    "+cs1+M03+M8699E999NA9tVD9tdG9dlJ9dtM9N1P9N9T9OFW8+Na8+Vd8uZh8uhl8upp8ext8e1x8e918fF58vJ98vSC8/WG8/aK9PiO9fmS9vqW+Pua+fyd+v2h/P+k",
  magma:
    "AAAEAQAFAQEGAQEIAgEJAgILAgINAwMPAwMSBAQUBQQWBgUYBgUaBwYcCAceCQcgCggiCwkkDAkmDQopDgsrEAstEQwvEg0xEw00FA42FQ44Fg87GA89GRA/GhBCHBBE" +
    "HRFHHhFJIBFLIRFOIhFQJBJTJRJVJxJYKRFaKhFcLBFfLRFhLxFjMRFlMxBnNBBpNhBrOBBsOQ9uOw9wPQ9xPw9yQA90Qg91RA92RRB3RxB4SRB4ShB5TBF6ThF7TxJ7" +
    "URJ8UhN8VBN9VhR9VxV+WRV+WhZ+XBZ/XRd/Xxh/YBiAYhmAZBqAZRqAZxuAaByBahyBax2BbR2Bbh6BcB+Bch+BcyCBdSGBdiGBeCKBeSKCeyOCfCOCfiSCgCWCgSWB" +
    "gyaBhCaBhieBiCeBiSiBiymBjCmBjiqBkCqBkSuBkyuAlCyAliyAmC2AmS2Amy5/nC5/ni9/oC9/oTB+ozB+pTF+pjF9qDJ9qjN9qzN8rTR8rjR7sDV7sjV7szZ6tTZ6" +
    "tzd5uDd5ujh4vDl4vTl3vzp3wDp2wjt1xDx1xTx0xz1zyD5zyj5yzD9xzUBxz0Bw0EFv0kJv00Nu1URt1kVs2EVs2UZr20dq3Ehp3klo30po4Exn4k1m405l5E9k5VBk" +
    "51Jj6FNi6VRi6lZh61dg7Fhg7Vpf7lte711e8F9e8WBd8mJd8mRc82Vc9Gdc9Glc9Wtc9mxc9m5c93Bc93Jc+HRc+HZc+Xhd+Xld+Xtd+n1e+n9e+oFf+4Nf+4Vg+4dh" +
    "/Ilh/Ipi/Ixj/I5k/JBl/ZJm/ZRn/ZZo/Zhp/Zpq/Ztr/p1s/p9t/qFu/qNv/qVx/qdy/qlz/qp0/qx2/q53/rB4/rJ6/rR7/rZ8/rd+/rl//ruB/r2C/r+E/sGF/sKH" +
    "/sSI/saK/siM/sqN/syP/s2Q/s+S/tGU/tOV/tWX/teZ/tia/dqc/dye/d6g/eCh/eKj/eOl/eWn/eep/emq/eus/Oyu/O6w/PCy/PK0/PS2/Pa4/Pe5/Pm7/Pu9/P2/",
  cividis:
    "ACBNACFOACJQACJSACNTACRVACVXACVYACZaACdcACdeAChgAClhACpjACplACtnACxpACxqAC1sAC5uAC5vAC9vAC9vADBvADBvADFvADJvADNvADNvADRvADVuATZu" +
    "BjZuCzduDzhuEjhtFTltGDptGjttHTttHzxtIT1tIz5sJD5sJj9sKEBsKkBsK0FsLUJsLkNsMENsMURrMkVrNEVrNUZrNkdrOEhrOUhrOklrO0prPUprPktrP0xrQE1r" +
    "QU1rQk5rQ09rRE9rRlBrR1FrSFJrSVJrSlNrS1RsTFRsTVVsTlZsT1dsUFdsUVhsUllsU1lsVFpsVVttVlxtV1xtWF1tWV5tWV9tWl9tW2BuXGFuXWFuXmJuX2NuYGRv" +
    "YWRvYmVvY2ZvZGZvZGdwZWhwZmlwZ2lwaGpxaWtxamxxa2xxbG1ybG5ybW5ybm9zb3BzcHFzcXF0cnJ0cnN0c3R1dHR1dXV1dnZ2d3d2eHd3eHh3eXl3enp4e3p4fHt4" +
    "fXx4fn14f314gH55gX95goB5g4B5hIF5hIJ5hYN5hoN5h4R5iIV5iYZ5iod5i4d5jIh5jYl5jop5j4p5kIt5kYx4ko14k454lI54lY94lpB4l5F4mJJ4mZJ4mpN3m5R3" +
    "nJV3nZZ3npZ3n5d3oJh3oZl2opp2o5p2pJt2pZx2pp11qJ51qZ91qp91q6B0rKF0raJ0rqN0r6RzsKRzsaVzsqZys6dytKhytalxtqlxt6pxuKtwuaxwuq1wu65vvK9v" +
    "vq9vv7BuwLFuwbJtwrNtw7RtxLVsxbVsxrZrx7dryLhqyblqy7ppzLtpzbxozrxoz71n0L5n0b9m0sBm08Fl1MJk1sNk18Rj2MVj2cVi2sZh28dh3Mhg3clf3spf4Mte" +
    "4cxd4s1c485c5M9b5dBa5tFZ6NJZ6dNY6tNX69RW7NVV7dZU79dT8NhS8dlR8tpQ89tP9NxO9t1N995M+N9L+eBK+uFJ++JI/eNG/uRF/+VE/+ZC/+dC/+hD/+lE/+pG",
  rainbow:
    "BAFsBAFvBAFyBAF1BAF4BAF7BAB+BACBBACEBQCHBQCKBQCOBQCRBQCUBQGWBQGaBQGdBQGfBQKiBgOlBgOoBgSqBgasBwevBwmxCAuzCA21CQ+3CRG5ChO7ChW9Cxa/" +
    "CxjBCxrDDBzFDB3HDR/JDSDLDiLNDiPPDiXRDyfSDyjUDyrWECvYECzaEC7cEC/eETHgETLiETTkETXmEjfoEjjqEjrrEzvtFD3uFD/vFUHwF0PwGEXwGUfvG0ruHE3t" +
    "HVDrHlPoH1XlH1jiIFzeH1/aH2LWHWXSHGjOGmvKF23FFHDBEXO8DXW4CXizB3quBXyqBn+lCIGgC4ObEIWVFYeQGYmLHYuFIY2AJI56J5B0KpJuLJRoLZViLpdcL5lW" +
    "MJtQMJxKMJ5EMaA+MaE4MqMyM6QsNaYnN6ciOakdPKoZP6sVQ60SRq4PSq8MTrAKUrEIVrIHWrMHXbQGYbUGZbYGaLcGbLkGb7oFc7sFdrwFer0Ffb4FgL8Fg8AFh8EF" +
    "isIFjcMEkMQEk8UElsYEmscEncgEoMkEo8oEpssDqcwDrM0Dr84Dss8DtdADuNEDu9IDvtMDwdQCxNUCx9YCytcCzdcC0NgC09oC1toC2dsC3NwC390C4d4C5N4C598C" +
    "6t8C7N8C7t8D8N4D8t4D9N0E9dwF99sF+NkG+NcH+dYH+tQI+tIJ+tAK+s4K+8wL+8oM+8gM+8YN+8QO+8IO+8AP+74P+7wQ+7oQ/LgR/LYR/LQS/LIS/LAT/K4T/KwT" +
    "/KkU/KcU/KUU/KMV/KEV/J8V/J0V/JsV/JgV/JYW/JQW/JIV/I8V/I0V/IoV/IgV/IYU/IMU/YEU/X4T/XsT/XkT/XYS/XMS/nAR/m4R/msR/mgQ/mUQ/mIQ/l8P/lsP" +
    "/lgP/lUP/lEO/k4O/koO/kcO/kMO/T8N/TwN/DgN+zUN+jIN+S8N+CwN9ikN9ScN8yQN8SIN7yAN7h8N7B0N6hsN6BkN5hcN5BYN4hQN4BIN3hAN3A0N2wsN2AgN1wUN",
  "blue-red":
    "FylyGCp1GCt4GCx7GS19GS6BGjCDGjGGGjKJGzOMGzSPGzWSHDaVHDiYHDmbHTqeHTuhHTykHT2oHj6rHj+uHkGxH0K0H0O3IES6IEa9IUfAIkjCI0nFJErIJUzKJ03N" +
    "KU7PK1DSLVHUL1LWMVTXNFXZN1bbOVjcPFneP1vfQlzgRF3hR1/iSmDjTWLkT2PlUmXmVWbnV2joWmnpXGvqX2zrYW7rY2/sZnHtaHLuanTvbXbvb3fwcXnxc3rydXzz" +
    "eH30en/1fIH1foL2gIT3goX3hIf4hon5iIr5ioz6jY76j4/7kZH7k5P8lZT8l5b8mZj8m5r8nZv9n539oZ/8o6D8paL8qKT8qqb8q6j8ran8r6v7sa37s6/7tbD7t7L7" +
    "ubT6u7b6vbj6vrn6wbv5wr35xL/5xsH5yMP4ycT4y8b4zcj3z8r30Mz30s731ND21dH219P22dX129b13Nj03tr04Nzz4d3z497y5N/x5uHw6OHv6eLt6+Ps7OPr7ePp" +
    "7+Pn8OLl8eHj8uDh89/e9N7c9d3Z9tvW99nU99fR+NXO+dPL+dHI+s/G+s3D+srA+8i9+8a6+8S3/MG1/L+y/Lyv/Lqs/Lip/Lam/bOj/bGh/a6e/ayb/aqY/aiW/aWT" +
    "/aOQ/aCN/J6K/JyI/JmF/JeC/JSA/JJ9+5B6+414+4t1+ohy+oZw+YRt+YFr+H9p+Hxm93pk9nhh9nZf9XRd9HFb829Y8m1W8WtU8GhS72ZQ7WRO7GJM62BK6l5I6VtG" +
    "6FlE5ldC5VVB5FM+4lA94U474Ew530k33Uc13EUz20Ix2kAv2D0t1zss1Tgq1DYo0zMm0TAk0C4izyshzSgfyyUdyiIcyB8axxwYxRkXwxYVwRMUvxATvQwSuwkRuQcQ" +
    "tgUPtAMOsgIOrwENrQEMqgAMqAALpQALogELnwELnQEKmgIKlwIKlQIKkgMJjwMJjQQJigQIhwQIhQUIggUHgAUHfQYHegYGeAYGdQYFcwcFcAcEbgcEawcDaQcDZgcC",
};

const made = new Map();

/** 256 colours, three bytes each. Throws RangeError for a name that is not in NAMES. */
export function table(name) {
  if (!NAMES.includes(name)) throw new RangeError(`'${name}' is no colour map; wanted one of ${NAMES.join(", ")}`);
  if (!made.has(name)) {
    const stored = STORED[name] && Uint8Array.from(atob(STORED[name]), (letter) => letter.charCodeAt(0));
    made.set(name, stored ?? tinted((i) => Array(3).fill(name === "inverted" ? 255 - i : i)));
  }
  return made.get(name);
}

/** A table of what `colour` makes of 0 to 255. */
export function tinted(colour) {
  const made = new Uint8Array(768);
  for (let i = 0; i < 256; i++) made.set(colour(i), 3 * i);
  return made;
}
