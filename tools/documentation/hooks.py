# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What MkDocs does with our pages: they are written for a repository, whose folders the site has as well."""

import re


def on_page_markdown(markdown, page, config, files):
    """Fences tell a test what to do with a block, which superfences takes for options; folders become the pages that list them."""
    markdown = re.sub(r"(?m)^(\s*```)sh no-run:.*$", r"\1sh", markdown)
    markdown = re.sub(r"(?m)^(\s*```)output$", r"\1text", markdown)
    return re.sub(r"\]\(((?:\.\./)*)(examples(?:/[\w-]+)?)/?\)", r"](\1examples/index.md)", markdown)
