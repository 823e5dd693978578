"""Folders as projects: a folder of images on this machine becomes a project and stays equal to it; versions come out
as folders again. The folder is only read, and the project is changed only by what differs.
"""
