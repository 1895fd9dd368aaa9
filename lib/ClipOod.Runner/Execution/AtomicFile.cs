namespace ClipOod.Runner.Execution;

/// <summary>Files that exist complete or not at all.</summary>
internal static class AtomicFile
{
    /// <summary>Writes a text (UTF-8) under a temporary name beside its final one and renames it.</summary>
    /// <param name="path">The file; its folder is made, and a file of that name replaced.</param>
    /// <param name="text">Its whole content.</param>
    public static void Write(string path, string text)
    {
        string full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        string temporary = $"{full}.{Guid.NewGuid():N}.tmp";
        try
        {
            File.WriteAllText(temporary, text);
            File.Move(temporary, full, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
