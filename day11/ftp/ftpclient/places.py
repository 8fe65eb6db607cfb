"""Where downloads go: into the current folder or, inside the course, into day11/ftp/downloads.
下载的文件放在哪里：当前目录；如果当前目录在课程仓库中，就放进 day11/ftp/downloads
"""
import os

# day11/ftp/ftpclient/places.py
FTP_FOLDER = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
COURSE = os.path.dirname(os.path.dirname(FTP_FOLDER))
DOWNLOADS = os.path.join(FTP_FOLDER, "downloads")


def download_folder():
    """Return the folder for downloads; "" means the current folder. Raises OSError."""
    # False if this program is a copy outside the course.
    is_course = FTP_FOLDER == os.path.join(COURSE, "day11", "ftp")
    if is_course and f"{os.path.realpath(os.getcwd())}{os.sep}".startswith(COURSE + os.sep):
        return DOWNLOADS
    return ""


def find_upload(path):
    """Return the path of a file to upload; also look for the name in the downloads."""
    path = os.path.expanduser(path)
    downloaded = os.path.join(download_folder(), path)
    if not os.path.exists(path) and os.path.exists(downloaded):
        return downloaded
    return path
