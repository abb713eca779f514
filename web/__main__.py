"""`python -m web`: compile the catalogs to JSON for the browser (the first step of `npm run build`)."""

from web.catalogs import compile_all

if __name__ == "__main__":
    compile_all()
