namespace ClipOod.Autodiff;

/// <summary>Files that exist complete or not at all.</summary>
internal static class AtomicFile
{
    /// <summary>Writes a text (UTF-8); the folder of the file is made where there is none.</summary>
    /// <param name="path">The file; one of this name is replaced.</param>
    /// <param name="text">Its whole content.</param>
    public static void Write(string path, string text)
    {
        string full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        Write(full, temporary => File.WriteAllText(temporary, text));
    }

    /// <summary>Writes under a temporary name beside the final one and renames; a file of that name is replaced.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="write">Writes the whole content to the path that it is given.</param>
    public static void Write(string path, Action<string> write)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            write(temporary);
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
