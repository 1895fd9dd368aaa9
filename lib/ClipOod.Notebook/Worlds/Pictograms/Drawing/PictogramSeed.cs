namespace ClipOod.Notebook;

/// <summary>Seeds of pictures, the same on every platform and for ever.</summary>
internal static class PictogramSeed
{
    /// <summary>A seed for picture number <paramref name="index"/> of a concept, for a purpose such as "train" or "test".</summary>
    /// <param name="purpose">Pictures of different purposes differ.</param>
    /// <param name="name">Name of the concept.</param>
    /// <param name="index">Number of the picture.</param>
    /// <returns>A number of 31 bits.</returns>
    /// <remarks>FNV-1a over the characters, then the finaliser of MurmurHash3, so that neighbouring numbers give unlike seeds.</remarks>
    public static int Of(string purpose, string name, int index)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        ArgumentNullException.ThrowIfNull(name);
        uint hash = 2166136261;
        foreach (char letter in purpose.Append('/').Concat(name))
        {
            hash = (hash ^ letter) * 16777619;
        }

        hash = (hash ^ (uint)index) * 16777619;
        hash = (hash ^ (hash >> 16)) * 0x85EBCA6B;
        hash = (hash ^ (hash >> 13)) * 0xC2B2AE35;
        return (int)((hash ^ (hash >> 16)) & int.MaxValue);
    }
}
