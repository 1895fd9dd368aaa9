namespace ClipOod.Notebook;

/// <summary>Archives of fetched data sets, unpacked on first use: "food-101.tar.gz" into the folder "food-101" beside it.</summary>
internal static class LocalArchives
{
    private static readonly string[] _endings = [".tar.gz", ".tgz", ".tar", ".zip", ".gz"];

    /// <summary>Unpacks the archives among some files, and those that lie in them, unless that was done before. Other files stay as they are.</summary>
    /// <param name="files">The files, which were verified.</param>
    /// <exception cref="InvalidDataException">An archive is broken or refused; see <see cref="Archives.UnpackOnce"/>.</exception>
    /// <exception cref="IOException">The disk is full or cannot be written to.</exception>
    public static void Unpack(IEnumerable<string> files)
    {
        foreach (string file in files.Where(File.Exists))
        {
            if (_endings.FirstOrDefault(ending => file.EndsWith(ending, StringComparison.OrdinalIgnoreCase)) is not string ending)
            {
                continue;
            }

            // Caltech-101 is a zip with a folder in which a tar.gz lies.
            string folder = file[..^ending.Length];
            Archives.UnpackOnce(file, folder);
            Unpack(Directory.GetDirectories(folder).Append(folder).SelectMany(Directory.GetFiles).Order(StringComparer.Ordinal));
        }
    }
}
