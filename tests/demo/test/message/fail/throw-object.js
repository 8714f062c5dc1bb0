// An object that is no Error says what it is by its toString.

function Complaint(text) {
  this.text = text;
}
Complaint.prototype.toString = function() {
  return 'Complaint: ' + this.text;
};

throw new Complaint('not amused');
