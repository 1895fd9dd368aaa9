using System.Buffers.Binary;

namespace ClipOod.Testing;

/// <summary>Files changed at random, to try readers on.</summary>
public static class Mutator
{
    // Where formats keep what they say of themselves: headers and pickles at the begin, the directory of a zip file at the end.
    private const int Head = 1500;
    private const int Tail = 900;

    /// <summary>The bytes with one to three changes: bits, bytes, numbers, pieces left out, doubled, taken from another file or cut off.</summary>
    /// <param name="file">The bytes.</param>
    /// <param name="random">Draws the changes.</param>
    /// <param name="other">Another file of the format, pieces of which are put in; null for the same one.</param>
    public static byte[] Change(byte[] file, Random random, byte[]? other = null)
    {
        other ??= file;
        List<byte> bytes = [.. file];
        for (int change = random.Next(1, 4); change > 0 && bytes.Count > 4; change--)
        {
            int at = random.Next(3) switch
            {
                0 => random.Next(bytes.Count),
                1 => random.Next(Math.Min(Head, bytes.Count)),
                _ => bytes.Count - 1 - random.Next(Math.Min(Tail, bytes.Count)),
            };
            int length = Math.Min(random.Next(1, 9), bytes.Count - at);
            switch (random.Next(8))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes[at] = random.Next(4) switch { 0 => 0, 1 => 0xFF, 2 => 0x7F, _ => 0x80 };
                    break;
                case 3:
                    bytes.RemoveRange(at, length);
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 5:
                    int from = random.Next(other.Length);
                    bytes.InsertRange(at, other[from..Math.Min(other.Length, from + length)]);
                    break;
                case 6:
                    byte[] number = new byte[8];
                    BinaryPrimitives.WriteInt64LittleEndian(number, random.NextInt64() >> random.Next(64));
                    for (int i = 0; i < length; i++)
                    {
                        bytes[at + i] = number[i];
                    }

                    break;
                default:
                    bytes.RemoveRange(at, random.Next(8) == 0 ? bytes.Count - at : 0);
                    break;
            }
        }

        return [.. bytes];
    }
}
