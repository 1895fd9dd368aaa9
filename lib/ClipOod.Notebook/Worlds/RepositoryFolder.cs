namespace ClipOod.Notebook;

/// <summary>Where the workbook's repository lies.</summary>
internal static class RepositoryFolder
{
    /// <summary>
    /// The repository that this library was built in, whatever folder it is called from; for a library from elsewhere, the one around a
    /// folder: the nearest folder above that holds <c>data/pictograms</c>. Null where there is none.
    /// </summary>
    /// <param name="folder">Where the search goes on for a library from elsewhere.</param>
    public static string? Find(string folder)
    {
        // Empty where the library was loaded from memory.
        string library = Path.GetDirectoryName(typeof(RepositoryFolder).Assembly.Location) ?? "";
        foreach (string start in new[] { library, folder }.Where(start => start.Length > 0))
        {
            for (DirectoryInfo? at = new(start); at is not null; at = at.Parent)
            {
                if (Directory.Exists(Path.Combine(at.FullName, "data", PictogramWorld.WorldName)))
                {
                    return at.FullName;
                }
            }
        }

        return null;
    }
}
